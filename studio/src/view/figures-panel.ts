/** Speed at a glance, and in full. */

import type { Figures } from "../figures.ts";
import { element } from "./element.ts";

/** The row after those of an answer's steps. */
const AFTER_STEPS = "Capture to stage";

/** What stands beside the measured figures. */
export interface Surroundings {
  /** Display frames a second. */
  display: number;
  /** Where faces are found, in words. */
  place: string;
  /** What is fetched meanwhile, in words; undefined where that is nothing. */
  fetches: string | undefined;
  state: "connecting" | "open" | "closed";
  model: string;
  frame: { width: number; height: number };
  dropped: number;
}

export class FiguresPanel {
  /** A few words, on a button that opens the rest. */
  readonly pill = element("button", { type: "button", class: "pill panel", "aria-expanded": "false" });
  readonly root = element("section", { class: "figures panel", "aria-label": "Figures" });
  readonly #dot = element("span", { class: "dot", "aria-hidden": "true" });
  readonly #place = element("span", {});
  readonly #speed = element("span", { class: "pill-speed" });
  readonly #rate = element("span", { class: "pill-rate" });
  readonly #list = element("dl", {});
  readonly #values = new Map<string, HTMLElement>();

  constructor() {
    this.pill.append(this.#dot, this.#place, this.#speed, this.#rate);
    this.root.append(this.#list);
  }

  set open(open: boolean) {
    this.root.hidden = !open;
    this.pill.setAttribute("aria-expanded", String(open));
  }

  show(figures: Figures, about: Surroundings, now: number): void {
    const { state } = about;
    const answers = figures.answersPerSecond(now);
    this.#dot.dataset.state = state;
    this.#place.textContent = about.fetches ?? about.place;
    const running = state === "open" && answers > 0;
    const waiting = about.fetches ? "" : state === "connecting" ? "connecting…" : state === "closed" ? "stopped" : "";
    this.#speed.textContent = running ? milliseconds(figures.roundTrip) : waiting;
    this.#rate.textContent = running ? `${answers}/s` : "";
    if (this.root.hidden) return;
    const steps = figures.steps.entries.map(([name, value]): [string, string] => [name, milliseconds(value)]);
    const rows: [string, string][] = [
      ["Capture to answer", milliseconds(figures.roundTrip)],
      ...steps,
      [AFTER_STEPS, milliseconds(figures.latency)],
      ["Answers", `${answers} /s`],
      ["Display", `${Math.round(about.display)} /s`],
      ["Faces", String(figures.faces)],
      ["Dropped frames", String(figures.dropped + about.dropped)],
      ["Frame", about.frame.width ? `${about.frame.width} × ${about.frame.height}` : "–"],
      ["Model", about.model || "–"],
    ];
    const names = new Set(rows.map(([name]) => name));
    for (const [name, value] of this.#values) {
      if (names.has(name)) continue;
      value.parentElement?.remove();
      this.#values.delete(name);
    }
    const isStep = new Set(steps.map(([name]) => name));
    for (const [name, text] of rows) this.#row(name, isStep.has(name)).textContent = text;
  }

  /** step: of the way to an answer, whose steps may come and go. */
  #row(name: string, step: boolean): HTMLElement {
    const known = this.#values.get(name);
    if (known) return known;
    const value = element("dd", {});
    const row = element("div", { class: step ? "figures-row step" : "figures-row" }, element("dt", {}, name), value);
    this.#list.insertBefore(row, step ? (this.#values.get(AFTER_STEPS)?.parentElement ?? null) : null);
    this.#values.set(name, value);
    return value;
  }
}

function milliseconds(value: number | undefined): string {
  if (value === undefined) return "–";
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
