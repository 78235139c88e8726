// Presets: which drags some amounts of them are. The server says it (presets.py); its answers are kept. Some are no drags:
// they reshape the photo.

export class Presets {
  // `ask(amounts)`: sends the question, and returns whether it could.
  constructor(ask) {
    this.ask = ask;
    this.names = []; // in the server's order, which is that of the drags
    this.reshaping = new Set(); // those of them that are no drags
    this.forget();
  }

  // Another face: all drags are others.
  forget() {
    this.made = new Map(); // amounts as text → drags, null while they are asked for
    this.latest = [];
  }

  // Amounts with one of them changed; those of 0 are left out.
  changed(amounts, name, amount) {
    const all = { ...amounts, [name]: amount };
    return Object.fromEntries(this.names.filter((one) => all[one]).map((one) => [one, all[one]]));
  }

  // Of amounts, those that are no drags.
  reshape(amounts) {
    return Object.fromEntries(Object.entries(amounts).filter(([name]) => this.reshaping.has(name)));
  }

  has(amounts) {
    return !Object.keys(amounts).length || Boolean(this.made.get(JSON.stringify(amounts)));
  }

  // [[handle, target], …]; until an answer comes, those of the last one.
  drags(amounts) {
    if (!Object.keys(amounts).length) return [];
    const key = JSON.stringify(amounts);
    if (!this.made.has(key) && this.ask(amounts)) this.made.set(key, null);
    return this.made.get(key) ?? this.latest;
  }

  onDrags({ amounts, drags }) {
    this.made.set(JSON.stringify(amounts), drags);
    this.latest = drags;
  }
}
