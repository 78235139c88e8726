// The painted mask: a canvas of the size at which the photo is shown, opaque where the photo may change.

export class Mask {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
  }

  // `photo`: the view's; brushes are measured in its pixels.
  reset(photo) {
    this.canvas.width = photo.bitmap.width;
    this.canvas.height = photo.bitmap.height;
    this.ratio = photo.bitmap.width / photo.width;
  }

  clear() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  stroke(from, to, width, erase) {
    const c = this.context;
    c.save();
    c.globalCompositeOperation = erase ? "destination-out" : "source-over";
    c.scale(this.ratio, this.ratio);
    c.translate(0.5, 0.5);
    c.lineCap = c.lineJoin = "round";
    c.lineWidth = width;
    c.strokeStyle = "#f33";
    c.beginPath();
    c.moveTo(...from);
    c.lineTo(to[0] + 1e-3, to[1]); // a line of no length draws nothing
    c.stroke();
    c.restore();
  }

  // The outline of the landmarks, up over the forehead as the face mask goes. `groups`, told by the server, says from
  // which number to which each part of a face goes.
  paintFace(landmarks) {
    const group = (name) => landmarks.slice(...this.groups[name]);
    const mean = (part) => [0, 1].map((i) => part.reduce((sum, point) => sum + point[i], 0) / part.length);
    const brows = mean(group("brows")), mouth = mean(group("mouth"));
    const up = [0.45 * (brows[0] - mouth[0]), 0.45 * (brows[1] - mouth[1])];
    const top = group("brows").map(([x, y]) => [x + up[0], y + up[1]]).reverse();
    const c = this.context;
    c.save();
    c.scale(this.ratio, this.ratio);
    c.translate(0.5, 0.5);
    c.fillStyle = "#f33";
    c.beginPath();
    for (const point of [...group("jaw"), ...top]) c.lineTo(...point);
    c.closePath();
    c.fill();
    c.restore();
  }

  // A promise of a PNG of it as it is now, and the other way round.
  blob() {
    return new Promise((done) => this.canvas.toBlob(done, "image/png"));
  }

  async restore(blob) {
    this.wanted = blob;
    const bitmap = blob && await createImageBitmap(await blob);
    if (this.wanted !== blob) return; // another one was asked for meanwhile
    this.clear();
    if (bitmap) this.context.drawImage(bitmap, 0, 0);
  }
}
