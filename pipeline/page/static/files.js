// Files that are pasted and dropped: a photo to be edited, or, dropped where an expression is chosen, that one's photo.

export function listenToFiles(page, { stage, expression }) {
  addEventListener("paste", (event) => {
    const [file] = event.clipboardData.files;
    if (file) page.open(file);
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    const forExpression = expression.contains(event.target);
    stage.classList.toggle("over", !forExpression);
    expression.classList.toggle("over", forExpression);
  });
  const leave = () => [stage, expression].forEach((element) => element.classList.remove("over"));
  addEventListener("dragleave", leave);
  addEventListener("drop", (event) => {
    event.preventDefault();
    leave();
    const [file] = event.dataTransfer.files;
    if (!file) return;
    if (expression.contains(event.target)) page.takeExpression(file);
    else page.open(file);
  });
}
