// A picture bent by a grid of offsets: what is seen at a place came from as far off as the grid says there.

// source: ImageData of a square; offsets: Float32Array of N × N pairs (x, y) in pixels of a picture of `scale` source
// pixels to one. ImageData of the same size.
export function bent(source, offsets, scale) {
  const { width, height, data } = source, made = new ImageData(width, height);
  const from = new Uint32Array(data.buffer), to = made.data, whole = new Uint32Array(to.buffer);
  const n = Math.sqrt(offsets.length / 2);
  const columns = Array.from({ length: width }, (_, x) => cell(x, width, n));
  for (let y = 0; y < height; y++) {
    const row = cell(y, height, n);
    for (let x = 0; x < width; x++) {
      const column = columns[x];
      const dx = scale * between(offsets, n, row, column, 0), dy = scale * between(offsets, n, row, column, 1);
      const at = y * width + x;
      if (dx * dx + dy * dy < 1e-3) whole[at] = from[at];
      else sample(data, width, height, x + dx, y + dy, to, 4 * at);
    }
  }
  return made;
}

// Between which cells of n a pixel of `size` lies, and how far towards the second.
function cell(place, size, n) {
  const at = Math.max(0, Math.min(n - 1, (place + 0.5) * n / size - 0.5)), first = Math.min(n - 2, Math.floor(at));
  return [first, at - first];
}

function between(offsets, n, [row, down], [column, right], axis) {
  const at = 2 * (row * n + column) + axis, below = at + 2 * n;
  const upper = offsets[at] + right * (offsets[at + 2] - offsets[at]);
  return upper + down * (offsets[below] + right * (offsets[below + 2] - offsets[below]) - upper);
}

// Writes what a picture shows at a place, between its pixels.
function sample(data, width, height, x, y, to, at) {
  x = Math.max(0, Math.min(width - 1.001, x));
  y = Math.max(0, Math.min(height - 1.001, y));
  const left = Math.floor(x), top = Math.floor(y), right = x - left, down = y - top;
  const a = 4 * (top * width + left), b = a + 4 * width;
  for (let i = 0; i < 4; i++) {
    const upper = data[a + i] + right * (data[a + 4 + i] - data[a + i]);
    to[at + i] = upper + down * (data[b + i] + right * (data[b + 4 + i] - data[b + i]) - upper) + 0.5;
  }
}
