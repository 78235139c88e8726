// Parts of the face that are moved as one: how far, in hundredths of the face's width, how they are turned, in degrees
// clockwise, and how many times as large they become.

export const AT_REST = { right: 0, down: 0, rotate: 0, scale: 1 };
export const PAINTED = "painted"; // the part that is painted as a mask

// Regions with one of them changed; those at rest are left out.
export function withRegion(regions, where, part) {
  const moved = { ...AT_REST, ...regions[where], ...part };
  const { [where]: _, ...others } = regions;
  return Object.keys(AT_REST).every((name) => moved[name] === AT_REST[name]) ? others : { ...others, [where]: moved };
}

// As the command line and an edit's file have it.
export function regionText(where, { right, down, rotate, scale }) {
  return `${where}:${signed(right)}%,${signed(down)}%,rotate=${rotate},scale=${scale}`;
}

// A region's name in words: "eye.left" is the left eye.
export function regionWords(where) {
  if (where === PAINTED) return "What I painted";
  const words = where.split(".").reverse().join(" ");
  return words[0].toUpperCase() + words.slice(1);
}

function signed(number) {
  return number < 0 ? `${number}` : `+${number}`;
}
