/** The help sheet: keys, and what else the page can do. */

import { type Command, keyText } from "./commands.ts";
import { element } from "./element.ts";
import { icon } from "./icons.ts";

export class Help {
  readonly root: HTMLDialogElement;
  readonly #keys = element("dl", { class: "keys" });
  readonly #commands: () => readonly Command[];

  /** commands: whose keys are told. where: a sentence on where pictures go. local: whether faces are found in this
   * browser already. */
  constructor(commands: () => readonly Command[], where: string, local: boolean) {
    const close = element("button", { type: "button", class: "icon-button", "aria-label": "Close" }, icon("close"));
    this.#commands = commands;
    this.root = element(
      "dialog",
      { class: "sheet panel", "aria-labelledby": "help-title" },
      element("header", {}, element("h2", { id: "help-title" }, "Studio"), close),
      element("p", {}, where),
      element(
        "p",
        {},
        "Drag in a video or a picture to look at it, a .glb or .vrm file to wear it. Press a person in the bar to choose " +
          "a character.",
      ),
      this.#keys,
      element(
        "p",
        { class: "hint" },
        "With ",
        element("code", {}, "?obs=1"),
        " in the address the stage stands alone on transparent ground",
        ...(local ? [] : ["; with ", element("code", {}, "?engine=local"), " faces are found in this browser"]),
        ". ",
        element("a", { href: "licenses.txt", target: "_blank" }, "Licenses"),
        " of what the page is built from.",
      ),
    );
    close.onclick = () => this.root.close();
    this.root.addEventListener("click", (event) => {
      if (event.target === this.root) this.root.close(); // the ground around the sheet
    });
  }

  toggle(): void {
    if (this.root.open) {
      this.root.close();
      return;
    }
    const rows = this.#commands().map((command) => row(keyText(command), command.help));
    this.#keys.replaceChildren(...rows, row("Arrows", "move the picture, when it has the focus"));
    this.root.showModal();
  }
}

function row(key: string, text: string): HTMLElement {
  return element("div", {}, element("dt", {}, element("kbd", {}, key)), element("dd", {}, text));
}
