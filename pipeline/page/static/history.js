// Undo and redo: whole states, a new one after each change. States are never changed, only replaced.

// A state of the edit. A point is { handle, target, at }: handle is where it lies in the untouched photo (null while the
// server looks that up), `at` where the picture shows it. Amounts are those of the presets that aren't 0, by name;
// an expression is { name, landmarks, amount }, regions are as regions.js has them. A result is { id, patch, drags, key,
// points, mask, painted, … }, or null for the photo as it was.
export const FIRST = { points: [], amounts: {}, expression: null, regions: {}, mask: "auto", painted: null, result: null };

export class History {
  constructor(first) {
    this.states = [first];
    this.at = 0;
  }

  get now() {
    return this.states[this.at];
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.states.length - 1;
  }

  change(part) {
    this.states.length = this.at + 1;
    this.states.push({ ...this.now, ...part });
    this.at += 1;
  }

  // The server has none of the results any more: they can be looked at, but not saved.
  roughen() {
    for (const state of this.states) if (state.result) state.result = { ...state.result, rough: true };
  }

  undo() {
    if (this.canUndo) this.at -= 1;
  }

  redo() {
    if (this.canRedo) this.at += 1;
  }
}
