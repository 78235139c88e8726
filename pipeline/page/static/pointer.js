// What hands do on the canvas: pull points, paint, pan, zoom, by mouse, pen and fingers.

const NEAR = { mouse: 12, pen: 16, touch: 26 }; // CSS pixels
const SNAP = 9;
const CLICK = 4; // a pull shorter than that is a click

export class PointerInput {
  // `actions`: tool(), points(), snaps(), add(at), take(index), move(index, end, at, last), leave(fresh), remove(index),
  // choose(index), paint(from, to), painted(), unpaint(), box(from, to, last), allowed(at).
  constructor(view, actions) {
    this.view = view;
    this.actions = actions;
    this.pointers = new Map();
    this.space = false;
    const canvas = view.canvas;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.moved(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event));
    canvas.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      const hit = this.hit(event);
      if (hit && !hit.preset && actions.tool() === "points") actions.remove(hit.index);
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      view.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), view.at(event));
    }, { passive: false });
  }

  down(event) {
    if (!this.view.photo || event.button === 2) return;
    this.view.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.view.at(event));
    if (this.pointers.size > 1) { // a second finger: no pulling any more
      this.cancel();
      return;
    }
    const at = this.view.at(event), tool = this.actions.tool();
    this.last = this.from = at;
    if (event.button === 1 || this.space || tool === "pan") this.doing = { kind: "pan" };
    else if (tool === "brush" || tool === "erase") this.doing = { kind: "paint" };
    else if (tool === "box") this.doing = { kind: "box", start: this.view.toPhoto(...at) };
    else this.startPull(event, at);
    if (this.doing?.kind === "paint") this.paint(at);
  }

  startPull(event, at) {
    const hit = this.hit(event);
    if (hit) {
      if (!hit.preset) this.actions.choose(hit.index);
      this.doing = { kind: "pull", ...hit, fresh: false };
      return;
    }
    const place = this.snapped(at);
    if (!this.actions.allowed(place)) {
      this.doing = { kind: "pan" };
      return;
    }
    this.doing = { kind: "pull", index: this.actions.add(place), end: "target", fresh: true };
  }

  moved(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const at = this.view.at(event);
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size === 2) {
      this.pinch(event.pointerId, before, at);
      return;
    }
    const doing = this.doing;
    if (doing?.kind === "pan") this.view.pan(at[0] - this.last[0], at[1] - this.last[1]);
    if (doing?.kind === "paint") this.paint(at);
    if (doing?.kind === "box") this.actions.box(doing.start, this.view.toPhoto(...at), false);
    if (doing?.kind === "pull" && this.far(at)) this.pull(doing, at, false);
    this.last = at;
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (event.type === "pointercancel") {
      this.cancel();
      return;
    }
    const doing = this.doing, at = this.view.at(event);
    this.doing = null;
    if (doing?.kind === "paint") this.actions.painted();
    if (doing?.kind === "box") this.actions.box(doing.start, this.view.toPhoto(...at), true);
    if (doing?.kind === "pull") {
      if (this.far(at)) this.pull(doing, at, true);
      else if (doing.fresh) this.actions.move(doing.index, doing.end, null, true); // it stays where it is
      else this.actions.leave(false);
    }
  }

  // What a finger began is taken back: a second one came, or the browser took it.
  cancel() {
    const doing = this.doing;
    this.doing = null;
    if (doing?.kind === "pull") this.actions.leave(doing.fresh);
    if (doing?.kind === "paint") this.actions.unpaint();
  }

  pull(doing, at, last) {
    if (doing.preset) doing.index = this.actions.take(doing.index);
    doing.preset = false;
    this.actions.move(doing.index, doing.end, this.place(doing, at), last);
  }

  pinch(id, before, now) {
    const [other] = [...this.pointers].filter(([key]) => key !== id).map(([, at]) => at);
    const distance = (a) => Math.hypot(a[0] - other[0], a[1] - other[1]);
    const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
    this.view.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    this.view.zoom(distance(now) / Math.max(1, distance(before)), middle);
  }

  paint(at) {
    this.actions.paint(this.view.toPhoto(...this.last), this.view.toPhoto(...at));
  }

  far(at) {
    return Math.hypot(at[0] - this.from[0], at[1] - this.from[1]) >= CLICK;
  }

  place(doing, at) {
    return doing.end === "handle" ? this.snapped(at) : this.view.toPhoto(...at);
  }

  snapped(at) {
    const near = nearest(this.actions.snaps().map((place) => this.view.toScreen(place)), at, SNAP);
    return near === null ? this.view.toPhoto(...at) : this.actions.snaps()[near];
  }

  // Which point's target or handle is under a pointer. A preset's handle stays: either end pulls its target.
  hit(event) {
    const at = this.view.at(event), reach = NEAR[event.pointerType] ?? NEAR.mouse;
    const points = this.actions.points();
    for (const end of ["target", "handle"]) {
      const index = nearest(points.map((point) => this.view.toScreen(point[end])), at, reach);
      const preset = index !== null && points[index].preset;
      if (index !== null) return { index, preset, end: preset ? "target" : end };
    }
    return null;
  }
}

function nearest(places, at, reach) {
  let found = null;
  places.forEach(([x, y], index) => {
    const distance = Math.hypot(x - at[0], y - at[1]);
    if (distance <= reach) [found, reach] = [index, distance];
  });
  return found;
}
