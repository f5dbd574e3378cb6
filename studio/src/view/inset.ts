/** The source's picture, small, with what is found in it. It can be dragged, moved by the arrow keys, and enlarged. */

import type { InsetPlace } from "../page/preferences.ts";
import type { Source } from "../sources/source.ts";
import { element } from "./element.ts";
import { icon } from "./icons.ts";
import { clampPlace, placeOf, positionOf } from "./inset-place.ts";

const STEP = 16; // pixels, of an arrow key
const GROWTH = 1.25; // factor of a press of + or -

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

  /** Puts a source's picture in. */
  show(source: Source): void {
    this.#picture.replaceChildren(source.element);
    this.#title.textContent = source.title;
    this.fit(source);
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
    const { width } = this.root.getBoundingClientRect();
    this.#change({ ...this.#place, width: width * GROWTH ** direction });
  }

  #toggleSize(): void {
    const large = Math.min(innerWidth * 0.5, innerHeight * 0.6 * this.#aspect);
    const small = this.root.getBoundingClientRect().width < large * 0.8;
    this.#change({ ...this.#place, width: small ? large : 0 });
  }

  #key(event: KeyboardEvent): void {
    if (event.target !== this.root || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Readonly<Record<string, [number, number]>> = {
      ArrowLeft: [-STEP, 0],
      ArrowRight: [STEP, 0],
      ArrowUp: [0, -STEP],
      ArrowDown: [0, STEP],
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const { left, top } = this.#position();
    this.#moveTo(left + move[0], top + move[1]);
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
