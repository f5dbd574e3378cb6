/** Says what the camera is for, before it is asked for. */

import { element } from "./element.ts";
import { icon } from "./icons.ts";

export class Welcome {
  readonly root: HTMLElement;
  readonly #button = element("button", { type: "button", class: "button primary" }, icon("camera"), "Use my camera");

  /** where: a sentence on where the pictures go. */
  constructor(where: string, start: () => void) {
    this.#button.onclick = start;
    this.root = element(
      "section",
      { class: "welcome panel", "aria-label": "Camera" },
      element("div", {}, element("h1", {}, "Your face moves a character"), element("p", {}, where)),
      this.#button,
    );
  }

  set busy(busy: boolean) {
    this.#button.disabled = busy;
    this.#button.setAttribute("aria-busy", String(busy));
  }
}
