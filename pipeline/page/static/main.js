// The page: what there is, what is done to it, and what the server is told and answers.

import { answers } from "./answers.js";
import { Connection } from "./connection.js";
import { boxCorners, drawOverlay, within } from "./drawing.js";
import { Hands } from "./hands.js";
import { History } from "./history.js";
import { Mask } from "./mask.js";
import { Panel } from "./panel.js";
import { apart, reached, same } from "./places.js";
import { Presets } from "./presets.js";
import { likeness, PLACES } from "./words.js";
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

  get rate() {
    const { frames, first, began } = this.dragging;
    if (frames < 2) return "";
    return ` ${((frames - 1) * 1000 / (performance.now() - began - first)).toFixed(1)} pictures a second.`;
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

  // A new server knows nothing: it is given the photo and the face again, and the last drag.
  resume() {
    this.again = { choice: this.choice, history: this.history, drag: this.cut };
    this.cut = null;
    this.sendPhoto();
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

Object.assign(Page.prototype, answers);

const page = new Page();
page.panel.listen(PLACES);
