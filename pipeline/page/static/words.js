// What is said in words.

// Why a drag ended, by the server's word for it.
export const REASONS = {
  arrived: "every point arrived",
  stalled: "the face would not go further",
  "step limit": "the step limit was reached",
  stopped: "you stopped it",
};

// What the server is at, by its word for it.
export const WORKING = { inverting: "Learning the face", tuning: "Learning it to the last", dragging: "Dragging" };

// Landmarks by their names (landmark_names.py), left and right as one sees them.
export const PLACES = [
  ["mouth.left", "Mouth, left corner"], ["mouth.right", "Mouth, right corner"], ["mouth.top", "Upper lip"],
  ["mouth.bottom", "Lower lip"], ["eye.left.outer", "Left eye, outer corner"],
  ["eye.right.outer", "Right eye, outer corner"], ["eye.left.top", "Left eyelid"], ["eye.right.top", "Right eyelid"],
  ["brow.left", "Left eyebrow"], ["brow.right", "Right eyebrow"], ["nose", "Tip of the nose"],
  ["nose.left", "Nose, left side"], ["nose.right", "Nose, right side"], ["chin", "Chin"], ["jaw.left", "Left jaw"],
  ["jaw.right", "Right jaw"],
];

// How like the person a result is: the server's words, and the distance that they stand for; nothing where there is none.
// Where the server doubts that the picture is sound, its doubts are told instead of the words.
export function likenessText(words, distance, doubts = []) {
  if (distance === null || distance === undefined) return "";
  const number = `(identity distance ${distance.toFixed(2)}; a poor copy: about 0.20; same person: under 0.60)`;
  if (doubts.length) return `Look closely, it may be spoilt: ${doubts.join("; ")} ${number}`;
  return `${words[0].toUpperCase()}${words.slice(1)} ${number}`;
}

// That less of a drag was made than was asked for, where the server found that all of it would spoil the face.
export function lessText(share) {
  return share < 1 ? ` Only ${Math.round(100 * share)}% of the way was gone, for more would spoil the face.` : "";
}

// Which of the person's other photos show through.
export function fromText(photos) {
  return photos.length ? ` Seen with the help of ${[...new Set(photos)].join(" and ")}.` : "";
}

// A place in the photo, in whole pixels.
export function placeText([x, y]) {
  return `${Math.round(x)}, ${Math.round(y)}`;
}
