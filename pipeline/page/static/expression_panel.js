// The panel's part for the expression of another photo: which one, and how much of it.

import { Slider } from "./slider.js";

export class ExpressionPanel {
  // elements: file (an input), name (words), remove (a button), amount (where its slider goes).
  constructor(page, { file, name, remove, amount }) {
    Object.assign(this, { page, name, remove, amount });
    file.onchange = () => {
      const [chosen] = file.files;
      if (chosen) page.takeExpression(chosen);
      file.value = "";
    };
    remove.onclick = () => page.editable && page.setExpression(null);
    const range = { name: "expression", words: "How much", what: "How much of that expression is taken over.", least: 0 };
    this.slider = new Slider(range, {
      slide: (share) => page.slide({ expression: { ...page.asked.expression, amount: share } }),
      keep: () => page.keepSlide(),
    });
    amount.append(this.slider.row);
  }

  refresh() {
    const { page } = this, { expression } = page.asked;
    for (const element of [this.name, this.remove, this.amount]) element.hidden = !expression;
    if (!expression) return;
    this.name.textContent = `As in ${expression.name}.`;
    this.remove.disabled = !page.editable;
    this.slider.show(expression.amount, Boolean(page.editable && page.face));
  }
}
