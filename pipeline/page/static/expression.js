// Another photo's expression, which the server reads: methods of Page (main.js). Only its landmarks are kept.

const AMOUNT = 0.8; // of it, at first: as the command line's

export const expressionMethods = {
  async takeExpression(file) {
    if (!this.face || !this.editable) return this.panel.warn("Choose the photo to be edited first, then the expression.");
    if (file.size > this.limits.upload) {
      return this.panel.warn(`${file.name} is larger than ${this.limits.upload >> 20} MB: save a smaller copy.`);
    }
    const id = this.expressionId = ++this.counter;
    let data;
    try {
      data = await file.arrayBuffer();
    } catch {
      return this.panel.warn(`${file.name} can't be read: choose a photo's file.`);
    }
    if (id !== this.expressionId) return; // another one was chosen meanwhile
    if (!this.connection.send({ type: "expression", id, name: file.name || "photo" }, data)) return;
    this.panel.say(`Looking at the expression in ${file.name} …`, null);
  },

  on_expression({ name, landmarks }) {
    const amount = this.state.expression?.amount || AMOUNT;
    this.panel.say(`The expression in ${name} is taken over.`);
    this.setExpression({ name, landmarks, amount });
  },

  setExpression(expression) {
    this.history.change({ expression });
    this.refresh();
    this.foresee();
  },
};
