// Places in the photo, [x, y] in its pixels, and which are the same.

// Where the picture of a drag shows what a handle takes hold of, if it is one of its handles.
export function shownAt(drag, handle) {
  return handle && drag?.points[drag.drags.findIndex(([start]) => samePlace(start, handle))];
}

// The server rounds places to hundredths.
export function samePlace(a, b) {
  return distance(a, b) < 0.02;
}

// In pixels of the photo.
export function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

// Whether a point is to go elsewhere, rather than to stay.
export function moves({ handle, at, target }) {
  return distance(handle ?? at, target) >= 0.5;
}
