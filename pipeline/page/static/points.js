// What is pulled, by hand and by controls: methods of Page (main.js). While a point is pulled or a slider moves, the
// states stay as they are.

import { moves } from "./geometry.js";

export const pointMethods = {
  addPoint(place) {
    this.marks.use();
    const point = { handle: this.state.result ? null : place, at: place, target: place };
    this.pulling = [...this.state.points, point];
    this.chosen = this.pulling.length - 1;
    this.view.draw();
    return this.chosen;
  },

  movePoint(index, end, place, last) {
    const points = [...(this.pulling ?? this.state.points)], point = points[index];
    if (!point) return;
    this.marks.use();
    if (place && end === "target") points[index] = { ...point, target: place };
    if (place && end === "handle") {
      points[index] = { handle: this.state.result ? null : place, at: place, target: moves(point) ? point.target : place };
    }
    this.pulling = last ? null : points;
    if (last) this.setPoints(points);
    else {
      this.foresee();
      this.view.draw();
    }
  },

  setPoints(points) {
    this.history.change({ points });
    this.findOrigins();
    this.refresh();
    this.foresee();
  },

  // Where, in the photo, is what the picture shows at points that were placed on it? A server that came back knows when
  // its picture is made again.
  findOrigins() {
    if (this.resumed) return;
    const waiting = new Set(this.originRequests.values());
    for (const point of this.state.points) {
      if (point.handle || waiting.has(point)) continue;
      const id = ++this.counter;
      if (!this.connection.send({ type: "origin", id, result: this.state.result?.id ?? 0, point: point.at })) return;
      this.originRequests.set(id, point);
    }
  },

  removePoint(index) {
    this.chosen = -1;
    if (this.editable) this.setPoints(this.state.points.filter((_, i) => i !== index));
  },

  // A pull ends without a change; a fresh point goes again.
  leavePoint(fresh) {
    this.pulling = null;
    if (fresh) this.chosen = -1;
    this.overlook();
    this.refresh();
  },

  choosePoint(index) {
    this.marks.use();
    this.chosen = index;
    this.refresh();
  },

  // A preset's point that is pulled by hand becomes one. Its number among the points; of those by hand, their own.
  takePreset(index) {
    const point = this.presetPoints[index - this.points.length];
    if (!point) return index;
    const { handle, target, at } = point;
    this.pulling = [...this.points, { handle, target, at }];
    return (this.chosen = this.pulling.length - 1);
  },

  // part: of a state, what a slider changes.
  slide(part) {
    this.sliding = { ...this.sliding, ...part };
    this.refresh();
    this.foresee();
  },

  keepSlide() {
    const part = this.sliding ?? {};
    this.sliding = null;
    const changed = Object.keys(part).some((name) => JSON.stringify(part[name]) !== JSON.stringify(this.state[name]));
    if (changed) this.history.change(part);
    this.refresh();
  },

  nudge(dx, dy, end) {
    const point = this.points[this.chosen];
    if (!point || !this.editable) return;
    const from = end === "handle" ? point.at ?? point.handle : point.target;
    this.movePoint(this.chosen, end, [from[0] + dx, from[1] + dy], true);
  },
};
