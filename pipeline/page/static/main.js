// The page: what there is, what is done to it, and what the server is told and answers.

import { Connection } from "./connection.js";
import { boxCorners, drawOverlay, within } from "./drawing.js";
import { Hands } from "./hands.js";
import { History } from "./history.js";
import { Mask } from "./mask.js";
import { Panel } from "./panel.js";
import { Presets } from "./presets.js";
import { likeness, PLACES, REASONS, WORKING } from "./words.js";
import { View } from "./view.js";

// A state of the edit, as undo knows it. A point is { handle, target, at }: handle is where it lies in the untouched
// photo (null while the server looks that up), `at` where the picture shows it. Amounts are those of the presets that
// aren't 0, by name. A result is { id, patch, drags, points, mask, painted, … }, or null for the photo as it was.
const FIRST = { points: [], amounts: {}, mask: "auto", painted: null, result: null };
const SMALLEST_BOX = 20;

class Page {
  constructor() {
    this.phase = "empty"; // opening, choose, learning, ready
    this.faces = [];
    this.chosen = -1;
    this.history = new History({ ...FIRST });
    this.mask = new Mask();
    this.asked = new Map(); // what answers by number go to
    this.counter = 0;
    this.presets = new Presets((amounts) => this.face && this.connection.send({ type: "presets", amounts }));
    this.view = new View(document.getElementById("canvas"), (c, view) => drawOverlay(c, view, this));
    this.panel = new Panel(this);
    this.hands = new Hands(this.view, {
      tool: () => (this.phase === "choose" ? this.boxing ? "box" : "choose" : this.editable ? this.panel.tool : "pan"),
      points: () => [...this.points, ...this.presetPoints].map((point) => ({ ...point, handle: point.at ?? point.handle })),
      snaps: () => this.snaps,
      allowed: (place) => this.press(place),
      add: (place) => this.addPoint(place),
      move: (...move) => this.movePoint(...move),
      take: (index) => this.takePreset(index),
      remove: (index) => this.removePoint(index),
      leave: (fresh) => this.leavePoint(fresh),
      choose: (index) => this.choosePoint(index),
      paint: (from, to) => this.paint(from, to),
      painted: () => this.keepMask(),
      unpaint: () => this.showMask(),
      box: (...drawn) => this.drawBox(...drawn),
    });
    this.connection = new Connection({
      open: () => this.panel.banner(null),
      message: (content, data) => this.hear(content, data),
      lost: (why) => this.lose(why),
    });
  }

  get state() {
    return this.history.now;
  }

  get points() {
    return this.pulling ?? this.state.points;
  }

  get editable() {
    return (this.phase === "ready" || this.phase === "learning") && !this.dragging;
  }

  get snaps() {
    const shown = this.face && this.panel.showsLandmarks && !this.dragging && !this.state.result;
    return shown ? this.face.landmarks : [];
  }

  get amounts() {
    return this.sliding ?? this.state.amounts;
  }

  // What presets pull, at handles where a person pulls nothing.
  get presetPoints() {
    const shown = this.dragging?.points ? this.dragging : this.state.result;
    const free = ([handle]) => !this.points.some((point) => point.handle && same(point.handle, handle));
    return this.presets.drags(this.amounts).filter(free).map(
      ([handle, target]) => ({ handle, target, at: reached(shown, handle) ?? handle, preset: true }),
    );
  }

  get canStart() {
    const { points, presetPoints } = this, placed = points.every((point) => point.handle);
    const moved = points.some(moves) || presetPoints.length > 0;
    return this.editable && this.rough && placed && moved && this.presets.has(this.amounts);
  }

  // Photo and face

  async open(file) {
    this.source = file; // kept to go on with after a restart of the server
    if (file && this.limits && file.size > this.limits.upload) {
      return this.panel.say(`${file.name} is larger than ${this.limits.upload >> 20} MB: save a smaller copy.`);
    }
    this.forget();
    this.phase = "opening";
    this.panel.say(file ? `Opening ${file.name} …` : "Opening the sample …");
    this.sendPhoto();
  }

  sendPhoto() {
    if (this.source) this.connection.send({ type: "photo", name: this.source.name ?? "photo" }, this.source);
    else this.connection.send({ type: "sample" });
  }

  forget() {
    this.faces = [];
    this.sliding = null;
    this.face = this.choice = this.quad = this.quality = this.drawnBox = null;
    this.rough = this.dragging = this.boxing = this.filming = false;
    this.history = new History({ ...FIRST });
    this.chosen = -1;
    this.view.patch = this.live = null;
    this.refresh();
  }

  chooseFace(choice) {
    this.choice = choice; // { number } or { box }
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
  }

  // Pressing where nothing is yet: chooses a face, or says whether a point may begin there.
  press(place) {
    if (this.phase === "choose") {
      const face = this.faces.find(({ box }) => within(boxCorners(box), place));
      if (face) this.chooseFace({ number: face.number });
      return false;
    }
    return this.editable && within(this.quad, place);
  }

  drawBox(from, to, last) {
    const x = Math.min(from[0], to[0]), y = Math.min(from[1], to[1]);
    this.drawnBox = [x, y, Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
    if (last) {
      const box = this.drawnBox;
      this.drawnBox = null;
      if (Math.min(box[2], box[3]) >= SMALLEST_BOX) this.chooseFace({ box });
    }
    this.view.draw();
  }

  // Points. While one is pulled the states stay as they are.

  addPoint(place) {
    const point = { handle: this.state.result ? null : place, at: place, target: place };
    this.pulling = [...this.state.points, point];
    this.chosen = this.pulling.length - 1;
    this.view.draw();
    return this.chosen;
  }

  movePoint(index, end, place, last) {
    const points = [...(this.pulling ?? this.state.points)], point = points[index];
    if (!point) return;
    if (place && end === "target") points[index] = { ...point, target: place };
    if (place && end === "handle") {
      points[index] = { handle: this.state.result ? null : place, at: place, target: moves(point) ? point.target : place };
    }
    this.pulling = last ? null : points;
    if (last) this.setPoints(points);
    else this.view.draw();
  }

  setPoints(points) {
    this.history.change({ points });
    for (const point of points) if (!point.handle) this.findOrigin(point);
    this.refresh();
  }

  // Where, in the photo, is what the picture shows there?
  findOrigin(point) {
    const id = ++this.counter;
    this.asked.set(id, point);
    this.connection.send({ type: "origin", id, result: this.state.result?.id ?? 0, point: point.at });
  }

  removePoint(index) {
    this.chosen = -1;
    if (this.editable) this.setPoints(this.state.points.filter((_, i) => i !== index));
  }

  // A pull ends without a change; a fresh point goes again.
  leavePoint(fresh) {
    this.pulling = null;
    if (fresh) this.chosen = -1;
    this.refresh();
  }

  choosePoint(index) {
    this.chosen = index;
    this.refresh();
  }

  // A preset's point that is pulled by hand becomes one. Its number among the points; of those by hand, their own.
  takePreset(index) {
    const point = this.presetPoints[index - this.points.length];
    if (!point) return index;
    const { handle, target, at } = point;
    this.pulling = [...this.points, { handle, target, at }];
    return (this.chosen = this.pulling.length - 1);
  }

  // Presets. While a slider moves the states stay as they are.

  slide(name, amount) {
    this.sliding = this.presets.changed(this.amounts, name, amount);
    this.refresh();
  }

  keepAmounts() {
    const amounts = this.sliding;
    this.sliding = null;
    if (amounts && JSON.stringify(amounts) !== JSON.stringify(this.state.amounts)) this.history.change({ amounts });
    this.refresh();
  }

  nudge(dx, dy, end) {
    const point = this.points[this.chosen];
    if (!point || !this.editable) return;
    const from = end === "handle" ? point.at ?? point.handle : point.target;
    this.movePoint(this.chosen, end, [from[0] + dx, from[1] + dy], true);
  }

  // The mask

  setMask(mask) {
    this.history.change({ mask });
    this.refresh();
  }

  paint(from, to) {
    this.painting = true;
    this.mask.stroke(from, to, this.panel.brush / this.view.scale, this.panel.tool === "erase");
    this.view.draw();
  }

  // A stroke's end: one change, made at once, so that an undo takes back all of it.
  keepMask() {
    this.painting = false;
    this.history.change({ painted: this.mask.blob(), mask: "painted" });
    this.refresh();
  }

  async showMask() {
    this.painting = false;
    await this.mask.restore(this.state.painted);
    this.view.draw();
  }

  // Dragging

  start() {
    if (!this.canStart) return;
    const { mask, painted } = this.state;
    const drags = [...this.points, ...this.presetPoints].map(({ handle, target }) => [handle, target]);
    this.run({ drags, mask, painted: mask === "painted" ? painted ?? new Blob() : null });
  }

  async run(task) {
    this.dragging = { ...task, points: null, id: ++this.counter, began: performance.now(), frames: 0 };
    const scale = this.view.scale * (window.devicePixelRatio || 1);
    const { drags, mask, painted, id } = this.dragging;
    this.connection.send({ type: "drag", id, drags, mask, scale }, await painted);
    this.panel.say("Dragging …", 0);
    this.refresh();
  }

  stop() {
    this.connection.send({ type: "stop" });
  }

  undo() {
    this.travel(() => this.history.undo());
  }

  redo() {
    this.travel(() => this.history.redo());
  }

  travel(go) {
    if (!this.editable) return;
    const before = this.state.painted;
    this.sliding = null;
    go();
    this.chosen = -1;
    this.refresh();
    if (this.state.painted !== before) this.showMask();
  }

  save(format) {
    if (format === "mp4" && this.filming) return this.cancelFilm();
    this.connection.send({ type: "save", result: this.state.result.id, format });
    if (format !== "mp4") return;
    this.filming = true;
    this.panel.say("Making the video …", null);
    this.refresh();
  }

  cancelFilm() {
    this.filming = false;
    this.connection.send({ type: "cancel" });
    this.panel.say("No video was made.");
    this.refresh();
  }

  // What the server says

  async hear(content, data) {
    const bitmap = content.region && data ? await createImageBitmap(data) : null;
    const patch = bitmap && { bitmap, region: content.region };
    const answer = this[`hear_${content.type}`];
    await answer?.call(this, content, patch, data);
    this.refresh();
  }

  hear_hello({ limits, sample, presets }) {
    this.limits = limits;
    this.panel.offerSample(sample);
    this.presets.names = Object.keys(presets);
    this.panel.offerPresets(presets);
    if (this.phase !== "empty") this.resume();
  }

  // A new server knows nothing: it is given the photo and the face again, and the last drag.
  resume() {
    this.again = { choice: this.choice, history: this.history, drag: this.cut };
    this.cut = null;
    this.sendPhoto();
  }

  async hear_photo({ width, height, name }, _, data) {
    this.name = name;
    this.view.photo = { bitmap: await createImageBitmap(data), width, height };
    this.view.patch = null;
    if (!this.again?.choice) {
      this.mask.reset(this.view.photo);
      this.view.fit();
    }
    this.panel.say("Looking for faces …", null);
  }

  hear_faces({ faces }) {
    this.faces = faces;
    if (this.again?.choice) {
      const { choice, history } = this.again;
      this.chooseFace(choice);
      this.history = history;
      return;
    }
    this.again = null;
    this.phase = "choose";
    if (faces.length === 1) this.chooseFace({ number: 1 });
    else this.panel.say(faces.length ? "Click the face to edit." : "No face was found: draw a box around it.");
    this.boxing = !faces.length;
  }

  hear_face(face) {
    this.face = face;
    this.presets.forget();
    const [x, y, width, height] = face.box;
    if (!this.again) this.view.zoomTo([x - width, y - height, x + 2 * width, y + 1.8 * height]);
  }

  hear_presets(answer) {
    this.presets.hear(answer);
  }

  hear_doing({ text, done, total }) {
    if (this.phase !== "learning" || this.dragging) return;
    const words = WORKING[text] ?? text[0].toUpperCase() + text.slice(1);
    this.panel.say(total ? `${words}: ${done} of ${total}. You may place points already.` : `${words} …`, total ? done / total : null);
  }

  hear_likeness(_, patch) {
    this.rough = true;
    if (!this.dragging && !this.state.result && this.phase === "learning") this.live = patch;
  }

  hear_inverted({ quad, likeness: words, identity, unkept }) {
    this.phase = "ready";
    this.rough = true;
    this.quad = quad;
    this.live = null;
    this.reconstruction = `What it learned looks ${words} you.`;
    const note = unkept ? ` It was not kept for the next time: ${unkept}` : "";
    this.panel.say(`Ready: pull points on the face.${note}`);
    this.quality = identity === null ? "" : this.reconstruction;
    const result = this.state.result;
    const lost = this.again && (this.again.drag ?? result);
    this.again = null;
    // A drag on the unfinished likeness is done again on the finished one, and one of a server that is gone on this.
    if (this.dragging) this.run(this.dragging);
    else if (lost || result?.rough) this.run(lost ?? result);
  }

  hear_points({ id, points, step, steps }) {
    if (id !== this.dragging?.id) return;
    this.dragging.points = points;
    this.panel.say(`Dragging: step ${step}, at most ${steps}.${this.rate}`, step / steps);
  }

  hear_frame(content, patch) {
    const drag = this.dragging;
    if (content.id !== drag?.id) return;
    drag.frames += 1;
    drag.first ??= performance.now() - drag.began;
    this.live = patch;
    this.hear_points(content);
  }

  get rate() {
    const { frames, first, began } = this.dragging;
    if (frames < 2) return "";
    return ` ${((frames - 1) * 1000 / (performance.now() - began - first)).toFixed(1)} pictures a second.`;
  }

  hear_result(content, patch) {
    const drag = this.dragging;
    if (content.id !== drag?.id) return;
    const result = { ...drag, ...content, id: content.result, patch };
    const points = this.state.points.map((point) => ({ ...point, at: reached(result, point.handle) ?? point.at }));
    const task = { drags: drag.drags, mask: drag.mask, painted: drag.painted };
    this.history.change({ points, result });
    this.dragging = false;
    this.live = null;
    const first = drag.first ? ` First picture after ${(drag.first / 1000).toFixed(1)} s.` : "";
    this.panel.say(`Done in ${content.steps} steps: ${REASONS[content.reason]}.${first}`);
    if (content.rough && this.phase === "ready") this.run(task);
  }

  hear_origin({ id, point }) {
    const asking = this.asked.get(id);
    this.asked.delete(id);
    // The state in which it was asked may have been left: the answer is right for every one that has this point.
    for (const state of this.history.states) {
      state.points = state.points.map((one) => (one === asking ? { ...one, handle: point } : one));
    }
  }

  hear_filming({ done, total }) {
    if (this.filming && !this.dragging) this.panel.say(`Making the video: picture ${done} of ${total}.`, done / total);
  }

  hear_ended({ job }) {
    if (job === "film") this.filming = false;
  }

  hear_saved({ name }, _, data) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(data);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    this.panel.say(`Saved ${name}.`);
  }

  hear_error({ about, text }) {
    this.panel.say(text);
    if (about === "drag") this.dragging = this.live = null;
    if (about === "photo") this.phase = "empty";
    if (about === "invert") this.phase = "choose";
    if (about === "tab") this.panel.banner(text);
  }

  lose(why) {
    this.panel.banner(why);
    if (this.dragging) this.cut = this.dragging; // a lost connection ends its drag, which is done again
    this.dragging = this.filming = false;
    this.live = null;
    this.refresh();
  }

  // Let everything show what there is.
  refresh() {
    const shown = this.live ?? this.state.result?.patch ?? null;
    this.view.patch = shown;
    if (this.dragging?.points) {
      this.pulling = this.state.points.map((point) => ({ ...point, at: reached(this.dragging, point.handle) ?? point.at }));
    } else if (this.pulling && !this.hands?.doing) this.pulling = null;
    const result = this.state.result;
    this.panel.quality(result ? likeness(result.likeness, result.identity) : this.quality);
    this.panel.refresh();
    this.view.draw();
  }
}

function moves({ handle, at, target }) {
  return apart(handle ?? at, target) >= 0.5;
}

// Where the picture of a drag shows what a handle takes hold of, if it is one of its handles.
function reached(drag, handle) {
  return handle && drag?.points[drag.drags.findIndex(([start]) => same(start, handle))];
}

// The server rounds places to hundredths.
function same(a, b) {
  return apart(a, b) < 0.02;
}

function apart(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

const page = new Page();
page.panel.listen(PLACES);
