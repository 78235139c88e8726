// A preset's row: its name, a slider from its least amount to 1, how much, and the way back to 0.

export class Slider {
  // `what`: it does, in words. `slide(amount)` is called while it moves, `keep()` when it is let go.
  constructor({ name, what, least }, { slide, keep }) {
    this.name = name;
    const words = name[0].toUpperCase() + name.slice(1).replaceAll("-", " ");
    this.row = element("div", { className: "preset", title: what });
    const label = element("label", { htmlFor: `preset-${name}`, textContent: words });
    this.input = element("input", { id: `preset-${name}`, type: "range", min: least, max: 1, step: 0.05, value: 0 });
    this.amount = element("output", { htmlFor: `preset-${name}` });
    this.reset = element("button", { textContent: "↺", title: `${words}: back to 0` });
    this.reset.setAttribute("aria-label", this.reset.title);
    this.row.append(label, this.input, this.amount, this.reset);

    const zero = () => {
      slide(0);
      keep();
      this.input.focus();
    };
    let held = false; // a key that is held moves it many times, and is let go once
    this.input.addEventListener("input", () => slide(Number(this.input.value)));
    this.input.addEventListener("change", () => held || keep());
    this.input.addEventListener("keydown", () => (held = true));
    for (const event of ["keyup", "blur"]) {
      this.input.addEventListener(event, () => {
        if (held) keep();
        held = false;
      });
    }
    this.input.addEventListener("dblclick", zero);
    this.reset.addEventListener("click", zero);
  }

  show(amount, enabled) {
    this.input.value = amount;
    this.input.disabled = !enabled;
    this.amount.textContent = amount ? `${amount > 0 ? "+" : "−"}${Math.abs(amount).toFixed(2)}` : "0";
    this.reset.disabled = !enabled || !amount;
  }
}

function element(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
