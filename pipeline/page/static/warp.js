// A picture bent by a grid of offsets: what is seen at a place came from as far off as the grid says there.

// source: ImageData of a square; offsets: Float32Array of N × N pairs (x, y) in pixels of a picture of `scale` source
// pixels to one. ImageData of the same size.
export function bent(source, offsets, scale) {
  const { width, height, data } = source, made = new ImageData(width, height);
  const from = new Uint32Array(data.buffer), whole = new Uint32Array(made.data.buffer);
  const n = Math.sqrt(offsets.length / 2), columns = cells(width, n), rows = cells(height, n);
  const line = new Float32Array(2 * n); // offsets along a row of pixels
  for (let y = 0; y < height; y++) {
    const above = 2 * n * rows.first[y];
    for (let i = 0; i < 2 * n; i++) line[i] = scale * between(offsets[above + i], offsets[above + 2 * n + i], rows.share[y]);
    for (let x = 0; x < width; x++) {
      const cell = 2 * columns.first[x], share = columns.share[x], at = y * width + x;
      const dx = between(line[cell], line[cell + 2], share), dy = between(line[cell + 1], line[cell + 3], share);
      if (dx * dx + dy * dy < 1e-3) whole[at] = from[at];
      else sample(source, x + dx, y + dy, made.data, 4 * at);
    }
  }
  return made;
}

function between(a, b, share) {
  return a + share * (b - a);
}

// Of each pixel of `size`, the cell of n before it, and how far it is from there to the next.
function cells(size, n) {
  const first = new Int32Array(size), share = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const at = Math.max(0, Math.min(n - 1, (i + 0.5) * n / size - 0.5));
    first[i] = Math.min(n - 2, at);
    share[i] = at - first[i];
  }
  return { first, share };
}

// Writes what a picture shows at a place, between its pixels.
function sample({ data, width, height }, x, y, to, at) {
  x = Math.max(0, Math.min(width - 1.001, x));
  y = Math.max(0, Math.min(height - 1.001, y));
  const left = Math.floor(x), top = Math.floor(y), a = 4 * (top * width + left), b = a + 4 * width;
  for (let i = 0; i < 4; i++) {
    const upper = between(data[a + i], data[a + 4 + i], x - left), lower = between(data[b + i], data[b + 4 + i], x - left);
    to[at + i] = between(upper, lower, y - top);
  }
}
