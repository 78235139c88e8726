// A rough preview of what is asked for, there at once: the photo, bent as the server says (warp.py). It is shown until
// there is the picture, and nothing that is saved is made of it. One question is under way at a time; what was asked
// for since then is the next one.

import { bent } from "./warp.js";

const SIDES = [64, 448]; // of the picture, at least and at most

export class Preview {
  // `ask(question)`: sends it, and returns whether it could.
  constructor(ask) {
    Object.assign(this, { ask, number: 0, dropped: 0, count: 0 });
    this.forget();
  }

  // Another face, or another server, which answers nothing that was asked before.
  forget() {
    this.waiting = false;
    this.source = null;
    this.drop();
  }

  // Nothing is to be seen of it any more, nor of what is under way.
  drop() {
    this.dropped = this.number;
    this.next = this.picture = null;
    this.active = false;
  }

  // drags: [[handle, target], …]; presets: amounts of those that reshape.
  want(drags, presets) {
    this.active = true;
    this.next = { drags, presets };
    this.send();
  }

  send() {
    if (this.waiting || !this.next) return;
    const number = this.number + 1;
    if (!this.ask({ number, ...this.next })) return;
    Object.assign(this, { number, waiting: true, next: null });
  }

  // An answer. photo: the view's; scale: pixels of the screen to one of the photo.
  onWarp({ number, region, outlines }, offsets, photo, scale) {
    this.waiting = false;
    if (number > this.dropped) {
      this.picture = { bitmap: this.drawn(region, offsets, photo, scale), region, outlines };
      this.count += 1;
    }
    this.send();
  }

  drawn([x0, y0, x1, y1], offsets, photo, scale) {
    const wide = x1 - x0, side = Math.round(Math.max(SIDES[0], Math.min(SIDES[1], wide * scale)));
    if (this.source?.width !== side || this.of !== photo) {
      const canvas = new OffscreenCanvas(side, side), context = canvas.getContext("2d", { willReadFrequently: true });
      context.imageSmoothingQuality = "high";
      context.setTransform(side / wide, 0, 0, side / wide, -x0 * side / wide, -y0 * side / wide);
      context.drawImage(photo.bitmap, 0, 0, photo.width, photo.height);
      [this.source, this.of] = [context.getImageData(0, 0, side, side), photo];
    }
    const canvas = new OffscreenCanvas(side, side);
    canvas.getContext("2d").putImageData(bent(this.source, offsets, side / wide), 0, 0);
    return canvas;
  }
}
