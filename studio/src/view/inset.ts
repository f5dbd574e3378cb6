/** The source's picture, small, with what is found in it. It can be dragged, moved by the arrow keys, and enlarged. */

import type { Source } from "../sources/source.ts";
import { element } from "./element.ts";
import { icon } from "./icons.ts";
import { clampPlace, grown, type InsetPlace, placeOf, positionOf, stepOf, toggled } from "./inset-place.ts";

export interface InsetEvents {
  moved(place: InsetPlace): void;
  hidden(): void;
}

export class Inset {
  readonly root: HTMLElement;
  readonly canvas = element("canvas", { "aria-hidden": "true" });
  readonly #picture = element("div", { class: "inset-picture" });
  readonly #title = element("span", { class: "inset-title" });
  readonly #events: InsetEvents;
  #place: InsetPlace;
  #aspect = 4 / 3;

  constructor(place: InsetPlace, events: InsetEvents) {
    this.#place = place;
    this.#events = events;
    const enlarge = element(
      "button",
      { type: "button", class: "inset-button", "aria-label": "Enlarge or shrink the picture" },
      icon("enlarge"),
    );
    enlarge.onclick = () => this.#toggleSize();
    const hide = element(
      "button",
      { type: "button", class: "inset-button", "aria-label": "Hide the picture" },
      icon("close"),
    );
    hide.onclick = () => events.hidden();
    this.root = element(
      "section",
      {
        class: "inset",
        tabindex: "0",
        "aria-label": "Picture that is looked at. Arrow keys move it, plus and minus change its size.",
      },
      this.#picture,
      this.canvas,
      element("div", { class: "inset-head" }, this.#title, enlarge, hide),
      element("div", { class: "inset-grip", "aria-hidden": "true" }),
    );
    this.root.addEventListener("pointerdown", (event) => this.#drag(event));
    this.root.addEventListener("dblclick", (event) => {
      if (!(event.target as Element).closest("button")) this.#toggleSize();
    });
    this.root.addEventListener("keydown", (event) => this.#key(event));
    addEventListener("resize", () => this.#apply());
  }

  /** Puts a source's picture in. Without a source there is no inset. */
  show(source: Source | undefined): void {
    this.root.hidden = !source;
    this.#picture.replaceChildren(...(source ? [source.element] : []));
    this.#title.textContent = source?.title ?? "";
    if (source) this.fit(source);
  }

  /** Takes the proportions of the source's picture. */
  fit(source: Source): void {
    const { width, height } = source.size;
    const aspect = width && height ? width / height : 4 / 3;
    if (aspect === this.#aspect && this.root.style.width) return;
    this.#aspect = aspect;
    this.#apply();
  }

  set mirrored(mirrored: boolean) {
    this.#picture.classList.toggle("mirrored", mirrored);
  }

  /** Makes it larger or smaller by a step. */
  grow(direction: 1 | -1): void {
    this.#change(grown(this.#place, direction, this.#aspect, window2D()));
  }

  #toggleSize(): void {
    this.#change(toggled(this.#place, this.#aspect, window2D()));
  }

  #key(event: KeyboardEvent): void {
    if (event.target !== this.root || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = stepOf(event.key);
    if (!step) return;
    event.preventDefault();
    const { left, top } = this.#position();
    this.#moveTo(left + step[0], top + step[1]);
  }

  #drag(event: PointerEvent): void {
    const target = event.target as Element;
    if (event.button !== 0 || target.closest("button")) return;
    const sizing = target.classList.contains("inset-grip");
    const start = { x: event.clientX, y: event.clientY, ...this.#position(), width: this.root.offsetWidth };
    this.root.setPointerCapture(event.pointerId);
    this.root.classList.add("dragged");
    const move = (now: PointerEvent) => {
      const [dx, dy] = [now.clientX - start.x, now.clientY - start.y];
      if (sizing) {
        const width = Math.max(start.width + dx, start.width + dy * this.#aspect);
        this.#change(placeOf(start.left, start.top, width, this.#aspect, window2D()));
      } else this.#moveTo(start.left + dx, start.top + dy);
    };
    const end = () => {
      this.root.classList.remove("dragged");
      this.root.removeEventListener("pointermove", move);
    };
    this.root.addEventListener("pointermove", move);
    this.root.addEventListener("pointerup", end, { once: true });
    this.root.addEventListener("pointercancel", end, { once: true });
  }

  #moveTo(left: number, top: number): void {
    this.#change(placeOf(left, top, this.root.offsetWidth, this.#aspect, window2D()));
  }

  #change(place: InsetPlace): void {
    this.#place = place.width ? clampPlace(place, this.#aspect, window2D()) : place;
    this.#apply();
    this.#events.moved(this.#place);
  }

  #position(): { left: number; top: number } {
    return positionOf(clampPlace(this.#place, this.#aspect, window2D()), this.#aspect, window2D());
  }

  #apply(): void {
    const place = clampPlace(this.#place, this.#aspect, window2D());
    const { left, top } = positionOf(place, this.#aspect, window2D());
    this.root.style.width = `${place.width}px`;
    this.root.style.height = `${place.width / this.#aspect}px`;
    this.root.style.left = `${left}px`;
    this.root.style.top = `${top}px`;
  }
}

function window2D(): { width: number; height: number } {
  return { width: innerWidth, height: innerHeight };
}
