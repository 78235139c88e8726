// What is said in words.

export const REASONS = {
  arrived: "every point arrived",
  stalled: "the face would not go further",
  "step limit": "the step limit was reached",
  stopped: "you stopped it",
};

export const WORKING = { inverting: "Learning the face", dragging: "Dragging" };

// Landmarks by their numbers (dlib's 68), left and right as one sees them.
export const PLACES = [
  [48, "Mouth, left corner"], [54, "Mouth, right corner"], [51, "Upper lip"], [57, "Lower lip"],
  [36, "Left eye, outer corner"], [45, "Right eye, outer corner"], [37, "Left eyelid"], [44, "Right eyelid"],
  [19, "Left eyebrow"], [24, "Right eyebrow"], [30, "Tip of the nose"], [31, "Nose, left side"],
  [35, "Nose, right side"], [8, "Chin"], [4, "Left jaw"], [12, "Right jaw"],
];

export function likeness(words, distance) {
  if (distance === null || distance === undefined) return "";
  const number = `(identity distance ${distance.toFixed(2)}; under 0.60 is taken for the same person)`;
  return `${words[0].toUpperCase()}${words.slice(1)} you ${number}`;
}

export function place([x, y]) {
  return `${Math.round(x)}, ${Math.round(y)}`;
}
