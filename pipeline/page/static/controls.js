// What moves the face without points: presets, another face's expression, regions. Which drags they are the server says
// (controls.py); its answers are kept. Some presets are no drags: they reshape the photo.

import { regionText } from "./regions.js";

// Of a state, as a message has them: what is at rest is left out.
export function controlsOf({ amounts, expression, regions }) {
  return {
    presets: amounts,
    expression: expression?.amount ? { amount: expression.amount, landmarks: expression.landmarks } : null,
    regions: Object.entries(regions).map(([where, moved]) => regionText(where, moved)),
  };
}

export class Controls {
  // `ask(number, controls)`: sends the question, and returns whether it could.
  constructor(ask) {
    this.ask = ask;
    this.names = []; // of presets, in the server's order, which is that of the drags
    this.reshaping = new Set(); // those of them that are no drags
    this.number = 0;
    this.forget();
  }

  // Another face: all drags are others.
  forget() {
    this.made = new Map(); // key → drags, null while they are asked for
    this.asked = new Map(); // number → key
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

  has(controls, key) {
    return isNone(controls) || Boolean(this.made.get(key));
  }

  // [[handle, target], …]; until an answer comes, those of the last one. key: the same for the same controls.
  drags(controls, key) {
    if (isNone(controls)) return [];
    if (!this.made.has(key) && this.ask(++this.number, controls)) {
      this.made.set(key, null);
      this.asked.set(this.number, key);
    }
    return this.made.get(key) ?? this.latest;
  }

  onDrags({ number, drags }) {
    this.made.set(this.asked.get(number), drags);
    this.latest = drags;
  }
}

function isNone({ presets, expression, regions }) {
  return !Object.keys(presets).length && !expression && !regions.length;
}
