// The mask, as it is painted and chosen: methods of Page (main.js).

import { PAINTED } from "./regions.js";

export const maskMethods = {
  setMask(mask) {
    this.history.change({ mask });
    this.refresh();
  },

  paint(from, to) {
    this.painting = true;
    this.mask.stroke(from, to, this.panel.brush / this.view.scale, this.panel.tool === "erase");
    this.view.draw();
  },

  // A stroke's end: one change, made at once, so that an undo takes back all of it.
  keepMask() {
    this.painting = false;
    this.history.change({ painted: this.mask.blob(), mask: "painted" });
    this.refresh();
    if (PAINTED in this.state.regions) this.foresee();
  },

  async showMask() {
    this.painting = false;
    await this.mask.restore(this.state.painted);
    this.view.draw();
  },
};
