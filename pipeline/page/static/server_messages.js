// What the server says, and what the page makes of it: methods of Page (main.js), each named after a message.

import { shownAt } from "./geometry.js";
import { fromText, lessText, REASONS, WORKING } from "./words.js";

// The job that an answer comes from.
const JOBS = {
  photo: "photo", faces: "photo",
  face: "invert", doing: "invert", likeness: "invert", inverted: "invert", controls: "invert", warp: "invert",
  expression: "expression",
  points: "drag", frame: "drag", result: "drag",
  filming: "film",
};

export const messageMethods = {
  // Whether an answer is to what was asked before something else was, which the server had not heard of yet.
  late({ type, about, id, job }) {
    const latest = { photo: this.photoId, invert: this.faceId, drag: this.dragging?.id, film: this.filming, expression: this.expressionId };
    const of = type === "error" ? JOBS[about] ?? about : JOBS[type] ?? job;
    return of in latest && id !== latest[of];
  },

  on_hello({ limits, sample, presets, landmarks, regions }) {
    this.limits = limits;
    this.mask.groups = landmarks;
    this.panel.offerSample(sample);
    const all = presets.flatMap((group) => group.presets);
    this.controls.names = all.map(({ name }) => name);
    this.controls.reshaping = new Set(all.filter(({ reshapes }) => reshapes).map(({ name }) => name));
    this.panel.offerPresets(presets);
    this.panel.offerRegions(regions);
    if (this.phase !== "empty") this.resume();
  },

  on_photo({ width, height }, { bitmap }) {
    this.view.photo = { bitmap, width, height };
    this.view.patch = null;
    if (!this.resumed?.choice) {
      this.mask.reset(this.view.photo);
      this.view.fit();
    }
    this.panel.say("Looking for faces …", null);
  },

  on_faces({ faces, person }) {
    this.faces = faces;
    const { resumed } = this;
    if (resumed?.choice) {
      this.goOn(resumed);
      return;
    }
    this.resumed = null;
    this.phase = "choose";
    if (person || faces.length === 1) this.chooseFace({ number: person ?? 1 });
    else this.panel.say(faces.length ? "Click the face to edit." : "No face was found: draw a box around it.");
    this.boxing = !faces.length;
  },

  on_face(face) {
    this.face = face;
    this.controls.forget();
    const [x, y, width, height] = face.box;
    if (!this.resumed) this.view.zoomTo([x - width, y - height, x + 2 * width, y + 1.8 * height]);
  },

  on_controls(answer) {
    this.controls.onDrags(answer);
    if (this.preview.active && this.editable) this.foresee();
  },

  on_doing({ text, done, total }) {
    if (this.phase !== "learning" || this.dragging) return;
    const words = WORKING[text] ?? text[0].toUpperCase() + text.slice(1);
    this.panel.say(total ? `${words}: ${done} of ${total}. You may place points already.` : `${words} …`, total ? done / total : null);
  },

  on_likeness(_, patch) {
    this.draggable = true;
    if (!this.dragging && !this.state.result && this.phase === "learning") this.live = patch;
  },

  on_inverted({ quad, likeness: words, identity, cache_error }) {
    this.phase = "ready";
    this.draggable = true;
    this.boxing = false;
    this.quad = quad;
    this.live = null;
    this.reconstruction = `What it learned looks ${words}.`;
    const note = cache_error ? ` It was not kept for the next time: ${cache_error}` : "";
    this.panel.say(`Ready: pull points on the face.${note}`);
    this.quality = identity === null ? "" : this.reconstruction;
    const result = this.state.result;
    const lost = this.resumed && (this.resumed.drag ?? result);
    this.resumed = null;
    // A drag on the unfinished likeness is done again on the finished one, and one of a server that is gone on this.
    if (this.dragging) this.run(this.dragging);
    else if (lost || result?.rough) this.run(lost ?? result);
  },

  on_points({ points, drags, step, steps }) {
    Object.assign(this.dragging, { points, drags });
    this.panel.say(`Dragging: step ${step}, at most ${steps}.${this.rate()}`, step / steps);
  },

  on_frame(content, patch) {
    const drag = this.dragging;
    drag.frames += 1;
    drag.first ??= performance.now() - drag.began;
    this.live = patch;
    this.preview.drop();
    this.on_points(content);
  },

  on_result(content, patch) {
    const drag = this.dragging;
    const result = { ...drag, ...content, id: content.result, patch };
    const points = this.state.points.map((point) => ({ ...point, at: shownAt(result, point.handle) ?? point.at }));
    this.history.change({ points, result });
    this.dragging = false;
    this.live = null;
    this.preview.drop();
    this.marks.rest();
    this.findOrigins();
    const first = drag.first ? ` First picture after ${(drag.first / 1000).toFixed(1)} s.` : "";
    this.panel.say(`Done in ${content.steps} steps: ${REASONS[content.reason]}.${lessText(content.share)}${fromText(content.exemplars)}${first}`);
  },

  on_origin({ id, point }) {
    const asking = this.originRequests.get(id);
    this.originRequests.delete(id);
    // The state in which it was asked may have been left: the answer is right for every one that has this point. Of a
    // result that the server has no more nobody knows where it came from.
    for (const state of this.history.states) {
      state.points = state.points.flatMap((one) => (one !== asking ? one : point ? { ...one, handle: point } : []));
    }
    if (asking && point && this.preview.active) this.foresee();
    if (asking && !point) this.panel.warn("No point can be added to this result any more: press Start, or undo it.");
  },

  on_filming({ done, total }) {
    if (this.filming && !this.dragging) this.panel.say(`Making the video: picture ${done} of ${total}.`, done / total);
  },

  on_ended({ job }) {
    if (job === "film") this.filming = false;
  },

  on_saved({ name, without = [] }, _, data) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(data);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    this.panel.say(`Saved ${name}${without.length ? `, without ${without.join("; ")}` : ""}.`);
  },

  on_error({ about, text }) {
    this.panel.warn(text);
    if (about === "drag") {
      this.dragging = this.live = null;
      this.preview.drop();
      this.findOrigins();
    }
    if (about === "photo") this.phase = "empty";
    if (about === "invert") [this.phase, this.faceId] = ["choose", null];
    if (about === "tab") this.panel.banner(text);
  },
};
