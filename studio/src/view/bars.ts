/** The strongest coefficients of each person, as bars. */

import { colourOf } from "../people/palette.ts";
import type { Seen } from "../people/people.ts";
import { Strongest } from "../people/strongest.ts";
import { element } from "./element.ts";

const ROWS = 8;

interface Row {
  name: HTMLElement;
  fill: HTMLElement;
  value: HTMLElement;
}

interface Card {
  root: HTMLElement;
  title: HTMLElement;
  pose: HTMLElement;
  rows: Row[];
  strongest: Strongest;
}

export class Bars {
  readonly root = element("section", { class: "bars", "aria-label": "Strongest coefficients", tabindex: "0" });
  readonly #cards = new Map<number, Card>();

  /** titleOf: what a person's character is called. */
  show(seen: readonly Seen[], titleOf: (person: number) => string): void {
    for (const [person, card] of this.#cards) {
      if (seen.some((each) => each.person === person)) continue;
      card.root.remove();
      this.#cards.delete(person);
    }
    for (const { person, face } of seen) {
      const card = this.#card(person);
      card.title.textContent = titleOf(person);
      const { yaw, pitch, roll } = face.pose;
      card.pose.textContent = `yaw ${degrees(yaw)}  pitch ${degrees(pitch)}  roll ${degrees(roll)}`;
      const strongest = card.strongest.update(face.blendshapes ?? {});
      card.rows.forEach(({ name, fill, value }, i) => {
        const coefficient = strongest[i];
        name.textContent = coefficient?.name ?? "";
        value.textContent = coefficient ? coefficient.value.toFixed(2) : "";
        fill.style.transform = `scaleX(${coefficient?.value ?? 0})`;
      });
    }
  }

  #card(person: number): Card {
    const known = this.#cards.get(person);
    if (known) return known;
    const title = element("span", { class: "bars-title" });
    const pose = element("span", { class: "bars-pose" });
    const rows: Row[] = [];
    const list = element("div", { class: "bars-rows" });
    for (let i = 0; i < ROWS; i++) {
      const row = {
        name: element("span", { class: "bars-name" }),
        fill: element("span", { class: "bars-fill" }),
        value: element("span", { class: "bars-value" }),
      };
      list.append(row.name, element("span", { class: "bars-track" }, row.fill), row.value);
      rows.push(row);
    }
    const number = element("span", { class: "number" }, String(person));
    const root = element("article", { class: "panel bars-card" }, element("header", {}, number, title), pose, list);
    root.style.setProperty("--person", colourOf(person));
    const card = { root, title, pose, rows, strongest: new Strongest(ROWS) };
    this.#cards.set(person, card);
    const next = [...this.#cards].filter(([other]) => other > person).sort(([a], [b]) => a - b)[0]?.[1].root;
    this.root.insertBefore(root, next ?? null);
    return card;
  }
}

function degrees(value: number): string {
  const whole = Math.round(value);
  return `${whole < 0 ? "−" : ""}${Math.abs(whole)}°`;
}
