// The panel beside the photo: what a person can press, and what is said to them.

import { ExpressionPanel } from "./expression_panel.js";
import { listenToFiles } from "./files.js";
import { listenToKeys } from "./keys.js";
import { RegionPanel } from "./region_panel.js";
import { Slider } from "./slider.js";
import { placeText } from "./words.js";

const $ = (id) => document.getElementById(id);
const PREVIEW = "Rough preview: Start makes the picture.";
const FORMATS = ["png", "jpeg", "json", "mp4"];
const picked = (name) => document.querySelector(`input[name="${name}"]:checked`).value;

export class Panel {
  constructor(page) {
    this.page = page;
    this.regions = new RegionPanel(page, $("region-sliders"), $("region"));
    this.expression = new ExpressionPanel(page, {
      file: $("expression-file"), name: $("expression-name"), remove: $("expression-remove"), amount: $("expression-amount"),
    });
  }

  get tool() {
    return picked("tool");
  }

  get paints() {
    return ["brush", "erase"].includes(this.tool);
  }

  get brush() {
    return Number($("size").value);
  }

  get likeness() {
    return $("likeness").value;
  }

  get showsLandmarks() {
    return $("landmarks").checked;
  }

  // share: of a progress, null while it isn't known, left out for none.
  say(text, share) {
    $("status").textContent = text;
    $("status").classList.remove("wrong");
    $("progress").hidden = share === undefined;
    if (share === null) $("progress").removeAttribute("value");
    else $("progress").value = share ?? 0;
  }

  warn(text) {
    this.say(text);
    $("status").classList.add("wrong");
  }

  quality(text) {
    $("quality").textContent = text ?? "";
    $("quality").hidden = !text;
  }

  banner(text) {
    $("banner").textContent = text ?? "";
    $("banner").hidden = !text;
  }

  offerSample(there) {
    $("sample").hidden = !there;
  }

  // groups: { title, presets: [{ name, what, least, … }] }, the first of them open.
  offerPresets(groups) {
    if ($("presets").children.length) return; // a new server is asked anew
    const { page } = this;
    this.sliders = groups.flatMap(({ title, presets }, index) => {
      const group = document.createElement("details"), summary = document.createElement("summary");
      summary.textContent = title;
      group.open = index === 0;
      const sliders = presets.map((preset) => new Slider(preset, {
        slide: (amount) => page.slide({ amounts: page.controls.changed(page.asked.amounts, preset.name, amount) }),
        keep: () => page.keepSlide(),
      }));
      group.append(summary, ...sliders.map((slider) => slider.row));
      if (title === "Expression") group.append($("expression"));
      $("presets").append(group);
      return sliders;
    });
  }

  offerRegions(regions) {
    this.regions.offer(regions);
  }

  refresh() {
    const { page } = this, { state, phase, dragging } = page;
    this.showPreview(Boolean(page.preview.picture));
    document.body.dataset.phase = phase;
    document.body.dataset.dragging = Boolean(dragging);
    document.body.dataset.frames = dragging ? dragging.frames : state.result?.frames ?? 0;
    document.body.dataset.first = Math.round((dragging || state.result)?.first ?? 0);
    $("faces").hidden = phase !== "choose" && page.faces.length < 2;
    $("work").hidden = phase !== "ready" && phase !== "learning";
    $("start").textContent = dragging ? "Stop" : "Start";
    $("start").disabled = !dragging && !page.canStart;
    $("undo").disabled = !page.editable || !page.history.canUndo;
    $("redo").disabled = !page.editable || !page.history.canRedo;
    for (const format of FORMATS) $(`save-${format}`).disabled = !this.savable;
    if (page.filming) $("save-mp4").disabled = false;
    $("save-mp4").textContent = page.filming ? "Cancel the video" : "Video";
    for (const radio of document.querySelectorAll('input[name="mask"]')) radio.checked = radio.value === state.mask;
    $("painting").hidden = state.mask !== "painted" && !this.paints;
    $("start").hidden = $("show-points").hidden = $("work").hidden;
    $("show-points").setAttribute("aria-pressed", page.marks.shown);
    $("draw-face").setAttribute("aria-pressed", Boolean(page.boxing));
    for (const slider of this.sliders ?? []) slider.show(page.asked.amounts[slider.name] ?? 0, Boolean(page.editable && page.face));
    this.expression.refresh();
    this.regions.refresh();
    this.listFaces();
    if (!dragging) this.listPoints();
  }

  // What is seen is what is saved: never while there is but a preview.
  get savable() {
    const { state, face, editable, connection, preview } = this.page;
    return editable && connection.ready && face && state.result && !state.result.rough && !preview.picture;
  }

  // Said once, when it comes.
  showPreview(shown) {
    document.body.dataset.preview = shown;
    document.body.dataset.previews = this.page.preview.count;
    const text = shown ? PREVIEW : "";
    if ($("preview").textContent !== text) $("preview").textContent = text;
  }

  listFaces() {
    const buttons = this.page.faces.map((face) => {
      const button = document.createElement("button");
      button.textContent = `Face ${face.number}`;
      button.setAttribute("aria-pressed", this.page.choice?.number === face.number);
      button.onclick = () => this.page.chooseFace({ number: face.number });
      return button;
    });
    replace($("face-list"), buttons, this.page.faces.map((face) => [face.number, this.page.choice?.number]));
  }

  listPoints() {
    const { page } = this;
    const rows = page.points.map((point, index) => {
      const row = document.createElement("li"), choose = document.createElement("button"), remove = document.createElement("button");
      const from = point.at ?? point.handle;
      choose.textContent = `${index + 1}: ${placeText(from)} → ${placeText(point.target)}`;
      choose.setAttribute("aria-pressed", index === page.chosen);
      choose.onclick = () => page.choosePoint(index);
      remove.textContent = "✕";
      remove.setAttribute("aria-label", `Remove point ${index + 1}`);
      remove.onclick = () => page.removePoint(index);
      row.append(choose, remove);
      return row;
    });
    const more = page.presetPoints.length;
    $("no-points").hidden = rows.length + more > 0;
    $("of-presets").hidden = !more;
    $("of-presets").textContent = `${rows.length ? "And " : ""}${more} of sliders, shown without numbers.`;
    replace($("points"), rows, [page.points.map((point) => [point.at, point.target]), page.chosen]);
  }

  // Called once: what each control does.
  listen(places) {
    const { page } = this;
    for (const [name, words] of places) $("landmark").append(new Option(words, name));
    $("file").onchange = () => {
      const [file] = $("file").files;
      if (file) page.open(file);
      $("file").value = "";
    };
    $("sample").onclick = () => page.open(null);
    $("undo").onclick = () => page.undo();
    $("redo").onclick = () => page.redo();
    $("start").onclick = () => (page.dragging ? page.stop() : page.start());
    $("in").onclick = () => page.view.zoom(1.4);
    $("out").onclick = () => page.view.zoom(1 / 1.4);
    $("fit").onclick = () => page.view.fit();
    $("show-points").onclick = () => page.marks.toggle();
    $("draw-face").onclick = () => {
      page.boxing = !page.boxing;
      page.phase = page.boxing || !page.faceId ? "choose" : page.quad ? "ready" : "learning";
      page.refresh();
    };
    $("add").onclick = () => this.addLandmark($("landmark").value);
    $("likeness").onchange = () => page.relearn();
    $("clear-points").onclick = () => page.editable && page.setPoints([]);
    $("landmarks").onchange = () => page.view.draw();
    for (const radio of document.querySelectorAll('input[name="mask"]')) {
      radio.onchange = () => (page.editable ? page.setMask(radio.value) : page.refresh());
    }
    for (const radio of document.querySelectorAll('input[name="tool"]')) radio.onchange = () => page.refresh();
    $("paint-face").onclick = () => this.repaint(() => page.mask.paintFace(page.face.landmarks));
    $("clear-mask").onclick = () => this.repaint(() => page.mask.clear());
    for (const format of FORMATS) $(`save-${format}`).onclick = () => page.save(format);
    const before = (shown) => {
      page.view.before = shown;
      page.view.draw();
    };
    $("before").onpointerdown = () => before(true);
    for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) {
      $("before").addEventListener(name, () => before(false));
    }
    $("wiper").oninput = () => {
      page.view.wiper = $("wiper").value / 100;
      page.view.draw();
    };
    listenToFiles(page, { stage: $("stage"), expression: $("expression") });
    listenToKeys(page, { start: () => $("start").click(), before });
  }

  addLandmark(name) {
    const { page } = this;
    if (!page.editable || !page.face) return;
    const index = page.addPoint(page.face.names[name]);
    page.movePoint(index, "target", null, true);
    page.choosePoint(index);
    page.view.canvas.focus();
  }

  repaint(paint) {
    if (!this.page.editable) return;
    paint();
    this.page.keepMask();
  }
}

// Replace an element's children only where `facts` have changed, so that focus and clicks under way stay.
function replace(element, children, facts) {
  const told = JSON.stringify(facts);
  if (element.dataset.told === told) return;
  const focused = [...element.querySelectorAll("button")].indexOf(document.activeElement);
  element.dataset.told = told;
  element.replaceChildren(...children);
  if (focused >= 0) element.querySelectorAll("button")[focused]?.focus();
}
