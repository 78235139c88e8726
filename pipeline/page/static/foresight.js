// When a preview (preview.js) is asked for, and when it goes: methods of Page (main.js).

import { moves } from "./geometry.js";

export const foresightMethods = {
  // Something was moved. What it comes to is shown once it is known which drags it is.
  foresee() {
    if (!this.face || !this.editable) return this.overlook();
    const points = this.points.filter(({ handle }) => handle), { presetPoints, reshape } = this;
    this.preview.active = true; // the server's next answer asks again
    if (!this.controls.has(this.wanted, this.wantedKey)) return;
    if (!(points.some(moves) || presetPoints.length || Object.keys(reshape).length)) return this.overlook();
    this.preview.want([...points, ...presetPoints].map(({ handle, target }) => [handle, target]), reshape);
  },

  // It goes, without anything moving.
  overlook() {
    const shown = this.preview.picture;
    this.preview.drop();
    if (shown) this.refresh();
  },

  async on_warp(content, _, data) {
    const offsets = new Float32Array(await data.arrayBuffer());
    this.preview.onWarp(content, offsets, this.view.photo, this.view.scale * (window.devicePixelRatio || 1));
  },
};
