// The panel's part for regions: which one, and what becomes of it.

import { AT_REST, PAINTED, regionWords, withRegion } from "./regions.js";
import { Slider } from "./slider.js";

const FARTHEST = 20; // hundredths of the face's width
const percent = (amount) => (amount ? `${amount > 0 ? "+" : "−"}${Math.abs(amount)}%` : "0");
const degrees = (amount) => `${amount < 0 ? "−" : ""}${Math.abs(amount)}°`;
const times = (amount) => `×${amount.toFixed(2)}`;

export class RegionPanel {
  // element: where the sliders go; select: of regions.
  constructor(page, element, select) {
    Object.assign(this, { page, element, select });
    select.onchange = () => this.refresh();
  }

  // As the server tells them: names, and how far each may be turned and scaled.
  offer({ names, scale: [least, most], turn }) {
    this.element.replaceChildren();
    this.select.replaceChildren(...[...names, PAINTED].map((name) => new Option(regionWords(name), name)));
    this.select.value = names.includes("mouth") ? "mouth" : names[0];
    this.sliders = [
      this.slider("right", "To the right", { least: -FARTHEST, most: FARTHEST, step: 0.5, text: percent }),
      this.slider("down", "Down", { least: -FARTHEST, most: FARTHEST, step: 0.5, text: percent }),
      this.slider("rotate", "Turn", { least: -turn, most: turn, step: 1, text: degrees }),
      this.slider("scale", "Size", { least, most, step: 0.05, text: times }),
    ];
    this.element.append(...this.sliders.map(({ row }) => row));
  }

  slider(name, words, range) {
    const { page } = this;
    return new Slider({ name: `region-${name}`, words, what: `The chosen part: ${words.toLowerCase()}.`, rest: AT_REST[name], ...range }, {
      slide: (amount) => page.slide({ regions: withRegion(page.asked.regions, this.select.value, { [name]: amount }) }),
      keep: () => page.keepSlide(),
    });
  }

  refresh() {
    const { page } = this, { regions } = page.asked, moved = { ...AT_REST, ...regions[this.select.value] };
    const there = this.select.value !== PAINTED || page.state.painted;
    for (const slider of this.sliders ?? []) {
      slider.show(moved[slider.name.replace("region-", "")], Boolean(page.editable && page.face && there));
    }
    for (const option of this.select.options) {
      const words = regionWords(option.value) + (option.value in regions ? " (moved)" : "");
      if (option.text !== words) option.text = words;
    }
  }
}
