/** Speed at a glance, and in full. */

import type { Figures } from "../figures.ts";
import { element } from "./element.ts";

/** What stands beside the measured figures. */
export interface Surroundings {
  /** Display frames a second. */
  display: number;
  /** Where faces are found, in words. */
  place: string;
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
  readonly #list = element("dl", {});
  readonly #values = new Map<string, HTMLElement>();

  constructor() {
    this.pill.append(this.#dot, this.#place, this.#speed);
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
    this.#place.textContent = about.place;
    const running = state === "open" && answers > 0;
    const waiting = state === "connecting" ? "connecting…" : state === "closed" ? "stopped" : "";
    this.#speed.textContent = running ? `${milliseconds(figures.roundTrip)} · ${answers}/s` : waiting;
    if (this.root.hidden) return;
    const rows: [string, string][] = [
      ["Capture to answer", milliseconds(figures.roundTrip)],
      ["Capture to stage", milliseconds(figures.latency)],
      ["Answers", `${answers} /s`],
      ["Display", `${Math.round(about.display)} /s`],
      ["Faces", String(figures.faces)],
      ["Dropped frames", String(figures.dropped + about.dropped)],
      ["Frame", about.frame.width ? `${about.frame.width} × ${about.frame.height}` : "–"],
      ...figures.steps.entries.map(([name, value]): [string, string] => [`· ${name}`, milliseconds(value)]),
      ["Model", about.model || "–"],
    ];
    const names = new Set(rows.map(([name]) => name));
    for (const [name, value] of this.#values) {
      if (names.has(name)) continue;
      value.parentElement?.remove();
      this.#values.delete(name);
    }
    for (const [name, text] of rows) this.#row(name).textContent = text;
  }

  #row(name: string): HTMLElement {
    const known = this.#values.get(name);
    if (known) return known;
    const value = element("dd", {});
    const row = element("div", { class: "figures-row" }, element("dt", {}, name), value);
    this.#list.insertBefore(row, name.startsWith("·") ? (this.#values.get("Model")?.parentElement ?? null) : null);
    this.#values.set(name, value);
    return value;
  }
}

function milliseconds(value: number | undefined): string {
  if (value === undefined) return "–";
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
