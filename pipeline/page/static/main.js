// The page: what there is. What is done to it stands in files of their own, whose methods are the page's, too.

import { messageMethods } from "./server_messages.js";
import { Connection } from "./connection.js";
import { drawOverlay } from "./drawing.js";
import { PointerInput } from "./pointer.js";
import { FIRST, History } from "./history.js";
import { OverlayMarks } from "./overlay_marks.js";
import { Mask } from "./mask.js";
import { photoMethods } from "./open_photo.js";
import { Panel } from "./panel.js";
import { moves, samePlace, shownAt } from "./geometry.js";
import { pointMethods } from "./points.js";
import { Controls, controlsOf } from "./controls.js";
import { expressionMethods } from "./expression.js";
import { foresightMethods } from "./foresight.js";
import { Preview } from "./preview.js";
import { PAINTED } from "./regions.js";
import { dragMethods } from "./drag_runs.js";
import { maskMethods } from "./brush.js";
import { likenessText, PLACES } from "./words.js";
import { View } from "./view.js";

const PLAIN = ["saved", "warp"]; // whose bytes are no picture

class Page {
  constructor() {
    this.phase = "empty"; // opening, choose, learning, ready
    this.faces = [];
    this.chosen = -1;
    this.history = new History({ ...FIRST });
    this.mask = new Mask();
    this.originRequests = new Map(); // points whose origin was asked for, by number
    this.counter = 0;
    this.received = Promise.resolve();
    this.paintings = new Map(); // what was painted → its number
    this.controls = new Controls((...question) => this.askDrags(...question));
    this.preview = new Preview((question) => this.ask({ type: "warp", ...question }));
    this.view = new View(document.getElementById("canvas"), (c, view) => drawOverlay(c, view, this));
    this.panel = new Panel(this);
    this.marks = new OverlayMarks(document.getElementById("stage"), this.view.canvas, {
      finished: () => this.finished,
      changed: () => this.refresh(),
    });
    this.pointerInput = new PointerInput(this.view, {
      tool: () => (this.phase === "choose" ? this.boxing ? "box" : "choose" : this.editable ? this.panel.tool : "pan"),
      points: () => [...this.points, ...this.presetPoints].map((point) => ({ ...point, handle: point.at ?? point.handle })),
      snaps: () => this.snaps,
      allowed: (place) => this.press(place),
      add: (place) => this.addPoint(place),
      move: (...move) => this.movePoint(...move),
      take: (index) => this.takePreset(index),
      remove: (index) => this.marks.shown && this.removePoint(index),
      leave: (fresh) => this.leavePoint(fresh),
      choose: (index) => this.choosePoint(index),
      paint: (from, to) => this.paint(from, to),
      painted: () => this.keepMask(),
      unpaint: () => this.showMask(),
      box: (...drawn) => this.drawBox(...drawn),
    });
    this.connection = new Connection({
      open: () => this.onConnected(),
      message: (content, data) => this.onMessage(content, data),
      lost: (why) => this.onDisconnected(why),
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

  // The state's controls, or, while a slider moves, those that it says.
  get asked() {
    return { ...this.state, ...this.sliding };
  }

  get wanted() {
    return controlsOf(this.asked);
  }

  // The same for the same controls, and for a region that is painted the same painting.
  get wantedKey() {
    const { regions, painted } = this.asked;
    if (!(PAINTED in regions)) return JSON.stringify(this.wanted);
    if (!this.paintings.has(painted)) this.paintings.set(painted, this.paintings.size);
    return JSON.stringify([this.wanted, this.paintings.get(painted)]);
  }

  // Of the chosen face. Returns whether it could be asked.
  ask(question, data) {
    return Boolean(this.face && this.faceId && this.connection.send({ id: this.faceId, ...question }, data));
  }

  askDrags(number, controls) {
    const question = { type: "controls", number, controls }, { regions, painted } = this.asked;
    if (!(PAINTED in regions)) return this.ask(question);
    if (!this.face || !this.faceId || !this.connection.ready) return false;
    const id = this.faceId;
    Promise.resolve(painted).then((data) => this.ask({ ...question, id }, data ?? new Blob()));
    return true;
  }

  // What controls pull, at handles where a person pulls nothing.
  get presetPoints() {
    const shown = this.dragging?.points ? this.dragging : this.state.result;
    const free = ([handle]) => !this.points.some((point) => point.handle && samePlace(point.handle, handle));
    return this.controls.drags(this.wanted, this.wantedKey).filter(free).map(
      ([handle, target]) => ({ handle, target, at: shownAt(shown, handle) ?? handle, preset: true }),
    );
  }

  // What presets change without a point.
  get reshape() {
    return this.controls.reshape(this.asked.amounts);
  }

  // Whether the picture shows all that is asked for.
  get finished() {
    const { result, mask, painted } = this.state, asked = [...this.points, ...this.presetPoints];
    if (!result || this.dragging || this.pulling || this.sliding || asked.length !== result.drags.length) return false;
    if (result.key !== this.wantedKey) return false;
    if (result.mask !== mask || (mask === "painted" && result.painted !== painted)) return false;
    return asked.every(({ handle, target }) =>
      handle && result.drags.some(([start, end]) => samePlace(start, handle) && samePlace(end, target)));
  }

  get canStart() {
    const { points, presetPoints } = this, placed = points.every((point) => point.handle);
    const moved = points.some(moves) || presetPoints.length > 0 || Object.keys(this.reshape).length > 0;
    // What only reshapes the photo needs nothing that has to be learned.
    const possible = this.draggable || (this.face && !points.length && !presetPoints.length);
    const told = this.controls.has(this.wanted, this.wantedKey);
    return this.editable && this.connection.ready && possible && placed && moved && told;
  }

  undo() {
    this.moveInHistory(() => this.history.undo());
  }

  redo() {
    this.moveInHistory(() => this.history.redo());
  }

  moveInHistory(go) {
    if (!this.editable) return;
    const before = this.state.painted;
    this.sliding = null;
    this.preview.drop();
    go();
    this.chosen = -1;
    this.refresh();
    if (this.state.painted !== before) this.showMask();
    this.findOrigins();
  }

  // What the server says

  // One after the other: a picture takes a moment to be read, and what comes behind it may build on it.
  onMessage(content, data) {
    const { socket } = this.connection;
    this.received = this.received.then(() => this.answer(content, data, socket)).catch(reportError);
  }

  async answer(content, data, socket) {
    // All other bytes are pictures to be shown.
    const bitmap = data && !PLAIN.includes(content.type) ? await createImageBitmap(data) : null;
    // What a connection that was lost had said before speaks of a server's tab that is gone.
    if (this.late(content) || (socket !== this.connection.socket && content.type !== "saved")) return;
    const patch = bitmap && { bitmap, region: content.region };
    const answer = this[`on_${content.type}`];
    await answer?.call(this, content, patch, data);
    this.refresh();
  }

  // Let everything show what there is.
  refresh() {
    this.view.patch = this.preview.picture ?? this.live ?? this.state.result?.patch ?? null;
    if (this.dragging?.points) {
      this.pulling = this.state.points.map((point) => ({ ...point, at: shownAt(this.dragging, point.handle) ?? point.at }));
    } else if (this.pulling && !this.pointerInput?.doing) this.pulling = null;
    const result = this.state.result;
    this.panel.quality(result ? likenessText(result.likeness, result.identity, result.doubts) : this.quality);
    this.panel.refresh();
    this.view.draw();
  }
}

Object.assign(
  Page.prototype, photoMethods, pointMethods, maskMethods, dragMethods, expressionMethods, foresightMethods, messageMethods,
);

const page = new Page();
page.panel.listen(PLACES);
