// The canvas: the photo, what is laid over it, zoom and pan. Points are in photo pixels, centres at whole numbers.

const FARTHEST = 16; // screen pixels to one of the photo

// `overlay(context, view)` draws what lies over the photo.
export class View {
  constructor(canvas, overlay) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.overlay = overlay;
    this.photo = null; // { bitmap, width, height }
    this.patch = null; // { bitmap, region }: what the photo looks like now
    this.before = false;
    this.wiper = 0;
    this.scale = 1;
    this.x = this.y = 0; // where the photo's top left corner is, in CSS pixels
    this.fitted = true;
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    if (this.fitted) this.fit();
    this.draw();
  }

  get smallest() {
    return Math.min(this.canvas.clientWidth / this.photo.width, this.canvas.clientHeight / this.photo.height);
  }

  fit() {
    this.fitted = true;
    if (!this.photo) return;
    this.scale = this.smallest;
    this.x = (this.canvas.clientWidth - this.photo.width * this.scale) / 2;
    this.y = (this.canvas.clientHeight - this.photo.height * this.scale) / 2;
    this.draw();
  }

  zoomTo(region) {
    const [x0, y0, x1, y1] = region;
    const fill = Math.min(this.canvas.clientWidth / (x1 - x0), this.canvas.clientHeight / (y1 - y0));
    this.scale = Math.max(this.smallest, Math.min(FARTHEST, fill));
    this.x = this.canvas.clientWidth / 2 - this.scale * (x0 + x1) / 2;
    this.y = this.canvas.clientHeight / 2 - this.scale * (y0 + y1) / 2;
    this.fitted = false;
    this.pan(0, 0);
  }

  zoom(factor, at = [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2]) {
    if (!this.photo) return;
    const scale = Math.max(this.smallest, Math.min(FARTHEST, this.scale * factor));
    if (scale <= this.smallest) return this.fit();
    this.x = at[0] - (at[0] - this.x) * scale / this.scale;
    this.y = at[1] - (at[1] - this.y) * scale / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.pan(0, 0);
  }

  // Keeps a part of the photo in sight.
  pan(dx, dy) {
    if (!this.photo) return;
    const within = (value, size, room) => Math.max(room / 2 - size, Math.min(room / 2, value));
    this.x = within(this.x + dx, this.photo.width * this.scale, this.canvas.clientWidth);
    this.y = within(this.y + dy, this.photo.height * this.scale, this.canvas.clientHeight);
    this.draw();
  }

  toPhoto(x, y) {
    return [(x - this.x) / this.scale - 0.5, (y - this.y) / this.scale - 0.5];
  }

  toScreen([x, y]) {
    return [(x + 0.5) * this.scale + this.x, (y + 0.5) * this.scale + this.y];
  }

  // Where a pointer is, in CSS pixels of the canvas.
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  draw() {
    this.pending ??= requestAnimationFrame(() => {
      this.pending = null;
      this.paint();
    });
  }

  paint() {
    const { context: c, photo } = this;
    const ratio = window.devicePixelRatio || 1;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!photo) return;
    c.setTransform(ratio * this.scale, 0, 0, ratio * this.scale, ratio * this.x, ratio * this.y);
    c.imageSmoothingEnabled = this.scale < 4;
    c.imageSmoothingQuality = "high";
    c.drawImage(photo.bitmap, 0, 0, photo.width, photo.height);
    if (this.patch && !this.before) {
      const [x0, y0, x1, y1] = this.patch.region;
      const edge = this.wiper * photo.width;
      c.save();
      c.beginPath();
      c.rect(edge, 0, photo.width - edge, photo.height);
      c.clip();
      c.drawImage(this.patch.bitmap, x0, y0, x1 - x0, y1 - y0);
      c.restore();
      if (edge) {
        c.fillStyle = "#fff";
        c.fillRect(edge - 1 / this.scale, 0, 2 / this.scale, photo.height);
      }
    }
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.overlay(c, this);
  }
}
