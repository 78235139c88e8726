// A control's row: its name, a slider, how much, and the way back to rest.

export class Slider {
  // `what`: it does, in words; `words`: its name in words; `text(amount)`: how much. `slide(amount)` is called while it
  // moves, `keep()` when it is let go.
  constructor({ name, what, least, most = 1, step = 0.05, rest = 0, text = signed, words = inWords(name) }, { slide, keep }) {
    Object.assign(this, { name, rest, text });
    this.row = element("div", { className: "preset", title: what });
    const label = element("label", { htmlFor: `preset-${name}`, textContent: words });
    this.input = element("input", { id: `preset-${name}`, type: "range", min: least, max: most, step, value: rest });
    this.amount = element("output", { htmlFor: `preset-${name}` });
    this.reset = element("button", { textContent: "↺", title: `${words}: back to ${rest}` });
    this.reset.setAttribute("aria-label", this.reset.title);
    this.row.append(label, this.input, this.amount, this.reset);

    const toRest = () => {
      slide(rest);
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
    this.input.addEventListener("dblclick", toRest);
    this.reset.addEventListener("click", toRest);
  }

  show(amount, enabled) {
    this.input.value = amount;
    this.input.disabled = !enabled;
    this.amount.textContent = this.text(amount);
    this.reset.disabled = !enabled || amount === this.rest;
  }
}

function inWords(name) {
  return name[0].toUpperCase() + name.slice(1).replaceAll("-", " ");
}

function signed(amount) {
  return amount ? `${amount > 0 ? "+" : "−"}${Math.abs(amount).toFixed(2)}` : "0";
}

function element(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
