/** The people, each with number, colour and character. Pressing one opens the choice of characters. */

import { CHARACTERS, isCharacterName, titleOf } from "../people/characters.ts";
import { colourOf } from "../people/palette.ts";
import type { CharacterSource } from "../stage/stage.ts";
import { element } from "./element.ts";
import { icon } from "./icons.ts";
import { menu } from "./menu.ts";
import { portrait } from "./portraits.ts";

export interface ChipEvents {
  /** The reader has chosen a character for a person. */
  choose(person: number, source: CharacterSource): void;
  /** The reader wants to choose a file for a person. */
  chooseFile(person: number): void;
  /** A file was dropped onto a person. */
  drop(person: number, file: File): void;
}

interface Chip {
  root: HTMLButtonElement;
  panel: HTMLElement;
  source: CharacterSource;
}

export class Chips {
  readonly root = element("div", { class: "chips", role: "group", "aria-label": "People" });
  readonly #chips = new Map<number, Chip>();
  readonly #events: ChipEvents;
  readonly #empty = element("span", { class: "chips-empty" }, "No face yet");

  constructor(events: ChipEvents) {
    this.#events = events;
    this.root.append(this.#empty);
  }

  /** Shows a person with a character. */
  show(person: number, source: CharacterSource): void {
    const chip = this.#chips.get(person) ?? this.#add(person, source);
    chip.source = source;
    const name = "name" in source && isCharacterName(source.name) ? source.name : "file";
    const number = element("span", { class: "number" }, String(person));
    chip.root.replaceChildren(number, portrait(name), element("span", { class: "chip-title" }, titleOf(source)));
    chip.root.setAttribute("aria-description", `Character of person ${person}`);
    this.#empty.hidden = true;
  }

  /** Whether a person is seen now. */
  setSeen(person: number, seen: boolean): void {
    this.#chips.get(person)?.root.classList.toggle("unseen", !seen);
  }

  /** The file of a person is being read. */
  setBusy(person: number, busy: boolean): void {
    this.#chips.get(person)?.root.setAttribute("aria-busy", String(busy));
  }

  remove(person: number): void {
    const chip = this.#chips.get(person);
    chip?.root.remove();
    chip?.panel.remove();
    this.#chips.delete(person);
    this.#empty.hidden = this.#chips.size > 0;
  }

  #add(person: number, source: CharacterSource): Chip {
    const root = element("button", { type: "button", class: "chip" });
    root.style.setProperty("--person", colourOf(person));
    const panel = menu(root, `Character of person ${person}`, () => this.#choices(person, panel), "picker");
    panel.style.setProperty("--person", colourOf(person));
    root.ondragover = (event) => {
      event.preventDefault();
      root.classList.add("target");
    };
    root.ondragleave = () => root.classList.remove("target");
    root.ondrop = (event) => {
      root.classList.remove("target");
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      event.stopPropagation();
      this.#events.drop(person, file);
    };
    const chip = { root, panel, source };
    this.#chips.set(person, chip);
    const next = [...this.#chips].filter(([other]) => other > person).sort(([a], [b]) => a - b)[0]?.[1].root;
    this.root.insertBefore(root, next ?? this.#empty);
    return chip;
  }

  #choices(person: number, panel: HTMLElement): Node[] {
    const now = this.#chips.get(person)?.source;
    const group = element("div", { class: "picker-grid", role: "radiogroup", "aria-label": "Character" });
    for (const name of CHARACTERS) {
      const input = element("input", { type: "radio", name: `character-${person}`, value: name });
      input.checked = !!now && "name" in now && now.name === name;
      input.onchange = () => this.#events.choose(person, { name });
      input.onclick = ({ detail }) => detail && panel.hidePopover(); // a press closes it, arrow keys go on choosing
      group.append(element("label", { class: "picker-item" }, input, portrait(name), titleOf({ name })));
    }
    const file = element("button", { type: "button", class: "row-button" }, icon("file"), "Your own .glb or .vrm…");
    file.onclick = () => {
      panel.hidePopover();
      this.#events.chooseFile(person);
    };
    const hint = element(
      "p",
      { class: "hint" },
      "A file stays in this browser. It needs blend shapes by ARKit's or VRM's names.",
    );
    return [element("h2", {}, element("span", { class: "number" }, String(person)), "Character"), group, file, hint];
  }
}
