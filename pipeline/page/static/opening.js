// From a photo to a face of it: methods of Page (main.js).

import { boxCorners, within } from "./drawing.js";
import { FIRST, History } from "./history.js";

const SMALLEST_BOX = 20; // pixels of the photo

export const opening = {
  async open(file) {
    this.source = file; // kept to go on with after a restart of the server
    if (file && this.limits && file.size > this.limits.upload) {
      return this.panel.warn(`${file.name} is larger than ${this.limits.upload >> 20} MB: save a smaller copy.`);
    }
    this.again = this.cut = null;
    this.forget();
    this.phase = "opening";
    this.panel.say(file ? `Opening ${file.name} …` : "Opening the sample …");
    this.sendPhoto();
  },

  sendPhoto() {
    if (this.source) this.connection.send({ type: "photo", name: this.source.name ?? "photo" }, this.source);
    else this.connection.send({ type: "sample" });
  },

  forget() {
    this.faces = [];
    this.sliding = null;
    this.face = this.choice = this.quad = this.quality = this.drawnBox = null;
    this.rough = this.dragging = this.boxing = this.filming = false;
    this.history = new History({ ...FIRST });
    this.chosen = -1;
    this.view.patch = this.live = null;
    this.refresh();
  },

  chooseFace(choice) {
    this.choice = choice; // { number } or { box }
    this.again = this.cut = null; // what was to be gone on with was of another face
    this.face = this.sliding = null;
    this.boxing = this.filming = false;
    this.drawnBox = null;
    this.phase = "learning";
    this.history = new History({ ...FIRST });
    this.quad = this.quality = null;
    this.rough = false;
    this.live = null;
    this.connection.send({ type: "face", number: choice.number ?? null, box: choice.box ?? null });
    this.panel.say("Looking at the face …", null);
    this.refresh();
  },

  // Pressing where nothing is yet: chooses a face, or says whether a point may begin there.
  press(place) {
    if (this.phase === "choose") {
      const face = this.faces.find(({ box }) => within(boxCorners(box), place));
      if (face) this.chooseFace({ number: face.number });
      return false;
    }
    return this.editable && within(this.quad, place);
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
