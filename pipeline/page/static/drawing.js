// What is drawn over the photo: faces, the crop, places to snap to, the mask, points, a preview's outlines.

const HANDLE = "#ff4d3d", TARGET = "#2fb4ff";

// All of it, on the 2D context `c` of the canvas in CSS pixels; what is shown depends on the page's state.
export function drawOverlay(c, view, page) {
  const marks = page.marks.shown && !view.before;
  if (page.painting || (page.state.mask === "painted" && (marks || page.panel.paints))) {
    const [x, y] = view.toScreen([-0.5, -0.5]);
    c.globalAlpha = 0.35;
    c.drawImage(page.mask.canvas, x, y, view.photo.width * view.scale, view.photo.height * view.scale);
    c.globalAlpha = 1;
  }
  if (page.phase === "choose") {
    for (const face of page.faces) outline(c, view, boxCorners(face.box), `${face.number}`);
  }
  if (page.preview.picture && !view.before) {
    for (const places of page.preview.picture.outlines) ghost(c, view, places);
  }
  if (page.drawnBox) outline(c, view, boxCorners(page.drawnBox), "");
  if (marks && (page.phase === "ready" || page.phase === "learning")) {
    if (page.quad) dashed(c, view, page.quad);
    for (const place of page.snaps) dot(c, view.toScreen(place), 2.5, "#ffffffd0", 1);
    for (const point of page.presetPoints) drawPoint(c, view, point, 0.7);
    page.points.forEach((point, index) => drawPoint(c, view, point, index === page.chosen ? 1.3 : 1, index + 1));
  }
}

function drawPoint(c, view, point, size, number) {
  const handle = view.toScreen(point.at ?? point.handle), target = view.toScreen(point.target);
  const length = Math.hypot(target[0] - handle[0], target[1] - handle[1]);
  for (const [colour, width] of [["#000a", 5], ["#fff", 2.5]]) {
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.beginPath();
    c.moveTo(...handle);
    c.lineTo(...target);
    c.stroke();
  }
  if (length > 1) dot(c, target, 7 * size, TARGET, 2);
  dot(c, handle, 6 * size, HANDLE, 2);
  if (!number) return;
  c.font = "600 12px system-ui, sans-serif";
  c.lineWidth = 3;
  c.strokeStyle = "#000c";
  c.fillStyle = "#fff";
  c.strokeText(number, target[0] + 11, target[1] - 8);
  c.fillText(number, target[0] + 11, target[1] - 8);
}

function dot(c, [x, y], radius, colour, border) {
  c.beginPath();
  c.arc(x, y, radius, 0, 2 * Math.PI);
  c.fillStyle = colour;
  c.fill();
  c.lineWidth = border;
  c.strokeStyle = border > 1 ? "#fff" : "#0009";
  c.stroke();
}

function outline(c, view, corners, text) {
  const places = corners.map((corner) => view.toScreen(corner));
  for (const [colour, width] of [["#000a", 6], ["#ffd84d", 3]]) {
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.beginPath();
    for (const place of places) c.lineTo(...place);
    c.closePath();
    c.stroke();
  }
  c.font = "700 16px system-ui, sans-serif";
  c.lineWidth = 4;
  c.strokeStyle = "#000c";
  c.strokeText(text, places[0][0] + 8, places[0][1] + 22);
  c.fillStyle = "#ffd84d";
  c.fillText(text, places[0][0] + 8, places[0][1] + 22);
}

// What a preview can't show otherwise.
function ghost(c, view, places) {
  c.save();
  c.setLineDash([4, 3]);
  for (const [colour, width] of [["#000a", 3], ["#8ff", 1.5]]) {
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.beginPath();
    for (const place of places) c.lineTo(...view.toScreen(place));
    c.closePath();
    c.stroke();
  }
  c.restore();
}

function dashed(c, view, quad) {
  c.save();
  c.setLineDash([6, 6]);
  c.strokeStyle = "#fff8";
  c.lineWidth = 1;
  c.beginPath();
  for (const corner of quad) c.lineTo(...view.toScreen(corner));
  c.closePath();
  c.stroke();
  c.restore();
}

// The corners, in pixels of the photo and in turn, of a box whose pixels begin at x and y; a pixel's middle is whole.
export function boxCorners([x, y, width, height]) {
  const [left, top, right, bottom] = [x - 0.5, y - 0.5, x + width - 0.5, y + height - 0.5];
  return [[left, top], [left, bottom], [right, bottom], [right, top]];
}

// Whether a place lies within a square of four corners that go round.
export function isInside(quad, [x, y]) {
  return !quad || quad.every(([ax, ay], i) => {
    const [bx, by] = quad[(i + 1) % 4];
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax) <= 0;
  });
}
