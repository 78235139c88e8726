// Whether what lies over the photo, points above all, is seen. A finished result is shown bare until somebody touches
// the photo; the button and H turn round what is seen.

export class OverlayMarks {
  // `finished()`: whether the picture shows all that is asked for. `changed()` is called after what may change `shown`.
  constructor(stage, canvas, { finished, changed }) {
    Object.assign(this, { finished, changed });
    this.wish = null; // true or false once a person has turned it round
    this.touched = false;
    // A mouse touches the photo by moving over it, its buttons included, or they would turn round what isn't seen.
    stage.addEventListener("pointermove", ({ pointerType }) => pointerType !== "touch" && this.touch(true));
    stage.addEventListener("pointerleave", () => this.touch(false));
    canvas.addEventListener("pointerdown", () => this.touch(true));
    canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && this.touch(true));
    canvas.addEventListener("blur", () => this.touch(false));
  }

  get shown() {
    return this.wish ?? (this.touched || !this.finished());
  }

  touch(touched) {
    if (touched === this.touched) return;
    this.touched = touched;
    this.changed();
  }

  toggle() {
    this.wish = !this.shown;
    this.changed();
  }

  // A point is made, moved or chosen, which nobody does blindly.
  use() {
    if (this.shown && this.touched) return;
    this.wish = null;
    this.touched = true;
    this.changed();
  }

  // There is a new result to look at.
  rest() {
    this.touched = false;
    this.wish &&= null;
  }
}
