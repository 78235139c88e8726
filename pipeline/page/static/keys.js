// What keys do.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// `start()`: as the button; `before(shown)`: show the photo as it was.
export function listenToKeys(page, { start, before }) {
  addEventListener("keydown", (event) => {
    const { key } = event, control = event.ctrlKey || event.metaKey;
    const onControl = event.target.matches("input, select, button, summary");
    let done = true;
    if (control && key.toLowerCase() === "z") event.shiftKey ? page.redo() : page.undo();
    else if (control && key.toLowerCase() === "y") page.redo();
    else if (control) done = false;
    else if (key.toLowerCase() === "b") before(true);
    else if (key.toLowerCase() === "h") event.repeat || page.marks.toggle();
    else if (key === "+" || key === "=") page.view.zoom(1.25);
    else if (key === "-") page.view.zoom(1 / 1.25);
    else if (key === "0") page.view.fit();
    else if (onControl) done = false;
    else if (key === "Enter") start();
    else if (key === " ") page.pointerInput.space = true;
    else if (key === "Delete" || key === "Backspace") page.chosen >= 0 && page.removePoint(page.chosen);
    else if (ARROWS[key] && event.target === page.view.canvas) {
      const size = event.shiftKey ? 10 : 1;
      page.nudge(...ARROWS[key].map((way) => way * size), event.altKey ? "handle" : "target");
    } else done = false;
    if (done) event.preventDefault();
  });
  addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "b") before(false);
    if (event.key === " ") page.pointerInput.space = false;
  });
}
