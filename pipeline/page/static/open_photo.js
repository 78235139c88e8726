// From a photo to a face of it: methods of Page (main.js).

import { boxCorners, isInside } from "./drawing.js";
import { FIRST, History } from "./history.js";

const SMALLEST_BOX = 20; // pixels of the photo

export const photoMethods = {
  async open(file) {
    if (file && this.limits && file.size > this.limits.upload) {
      return this.panel.warn(`${file.name} is larger than ${this.limits.upload >> 20} MB: save a smaller copy.`);
    }
    const reading = (this.reading = {});
    let data;
    try {
      data = await file?.arrayBuffer();
    } catch {
      return this.panel.warn(`${file.name} can't be read: choose a photo's file.`);
    }
    if (reading !== this.reading) return; // another one was chosen while this one was read
    this.source = file && { name: file.name || "photo", data }; // kept to go on with after a restart of the server
    this.faces = [];
    this.choice = null;
    this.forget();
    this.refresh();
    this.phase = "opening";
    this.panel.say(file ? `Opening ${file.name} …` : "Opening the sample …");
    this.sendPhoto();
  },

  sendPhoto() {
    const id = this.photoId = ++this.counter;
    if (this.source) this.connection.send({ type: "photo", id, name: this.source.name }, this.source.data);
    else this.connection.send({ type: "sample", id });
  },

  // All that is known of the face, and what was to be gone on with.
  forget() {
    this.resumed = this.interrupted = this.faceId = this.expressionId = null;
    this.preview.forget();
    this.face = this.quad = this.quality = this.drawnBox = this.sliding = this.live = null;
    this.draggable = this.dragging = this.boxing = this.filming = false;
    this.history = new History({ ...FIRST });
    this.chosen = -1;
  },

  chooseFace(choice) {
    this.choice = choice; // { number } or { box }
    this.forget();
    this.showMask();
    this.phase = "learning";
    const id = this.faceId = ++this.counter;
    this.connection.send({ type: "face", id, number: choice.number ?? null, box: choice.box ?? null, likeness: this.panel.likeness });
    this.panel.say("Looking at the face …", null);
    this.refresh();
  },

  // The same face again, with all that was made of it, which the server has yet to make anew.
  goOn(resumed) {
    this.chooseFace(resumed.choice);
    Object.assign(this, { resumed, history: resumed.history });
    this.showMask();
  },

  // Another likeness is wanted of the face.
  relearn() {
    if (!this.faceId || !this.connection.ready) return; // what comes back later asks for it as well
    this.history.roughen();
    const drag = this.dragging || this.resumed?.drag || this.interrupted;
    this.goOn({ choice: this.choice, history: this.history, drag });
  },

  // Pressing where nothing is yet: chooses a face, or says whether a point may begin there.
  press(place) {
    if (this.phase === "choose") {
      const face = this.faces.find(({ box }) => isInside(boxCorners(box), place));
      if (face) this.chooseFace({ number: face.number });
      return false;
    }
    return this.editable && isInside(this.quad, place);
  },

  drawBox(from, to, last) {
    const x = Math.min(from[0], to[0]), y = Math.min(from[1], to[1]);
    this.drawnBox = [x, y, Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
    if (last) {
      const box = this.drawnBox;
      this.drawnBox = null;
      if (Math.min(box[2], box[3]) >= SMALLEST_BOX) this.chooseFace({ box });
    }
    this.view.draw();
  },
};
