// What the server is asked to make, drags and files, and what becomes of it when the server goes: methods of Page
// (main.js).

import { PAINTED } from "./regions.js";

export const dragMethods = {
  start() {
    if (!this.canStart) return;
    const { mask, painted, regions } = this.state, paints = mask === "painted" || PAINTED in regions;
    const given = this.points.map(({ handle, target }) => [handle, target]);
    this.run({ given, controls: this.wanted, key: this.wantedKey, mask, painted: paints ? painted ?? new Blob() : null });
  },

  // A task, { given: drags by hand, controls, key, mask, painted }, may be a drag that was made before: what it came to is
  // not this one's.
  async run({ given, controls, key, mask, painted }) {
    const id = ++this.counter, task = { given, controls, key, mask, painted };
    this.dragging = { ...task, drags: [], points: null, id, began: performance.now(), frames: 0 };
    const scale = this.view.scale * (window.devicePixelRatio || 1);
    this.panel.say("Dragging …", 0);
    this.refresh();
    const data = await painted;
    if (this.dragging?.id !== id) return; // something else was asked for meanwhile: another face, say
    this.connection.send({ type: "drag", id, drags: given, controls, mask, scale }, data);
    if (this.dragging.stopped) this.connection.send({ type: "stop" });
  },

  rate() {
    const { frames, first, began } = this.dragging;
    if (frames < 2) return "";
    return ` ${((frames - 1) * 1000 / (performance.now() - began - first)).toFixed(1)} pictures a second.`;
  },

  // One that waits for its mask is stopped when it is asked for.
  stop() {
    this.dragging.stopped = true;
    this.overlook();
    this.connection.send({ type: "stop" });
  },

  save(format) {
    if (format === "mp4" && this.filming) return this.cancelFilm();
    const id = ++this.counter;
    this.connection.send({ type: "save", id, result: this.state.result.id, format });
    if (format !== "mp4") return;
    this.filming = id;
    this.panel.say("Making the video …", null);
    this.refresh();
  },

  cancelFilm() {
    this.filming = false;
    this.connection.send({ type: "cancel" });
    this.panel.say("No video was made.");
    this.refresh();
  },

  // A new server knows nothing: it is given the photo and the face again, and the last drag. The results that it lacks
  // can be looked at, but not saved.
  resume() {
    this.history.roughen();
    this.resumed = { choice: this.choice, history: this.history, drag: this.interrupted };
    this.interrupted = null;
    this.sendPhoto();
  },

  onConnected() {
    this.panel.banner(null);
    this.refresh();
  },

  onDisconnected(why) {
    this.panel.banner(why);
    // A lost connection ends its drag, which is done again.
    this.interrupted = this.dragging || this.resumed?.drag || this.interrupted;
    this.originRequests.clear();
    this.dragging = this.filming = this.draggable = false;
    this.live = this.expressionId = null;
    this.preview.forget();
    this.refresh();
  },
};
