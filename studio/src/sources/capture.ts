/** Takes a source's pictures to an engine: the newest one, as soon as the engine takes it. */

import type { Engine } from "../engine/engine.ts";
import { frameSize } from "./frame-size.ts";
import type { Source } from "./source.ts";

export class Capture {
  readonly #engine: Engine;
  readonly #longSide: () => number;
  #source: Source | undefined;
  /** The time of a picture that was not yet taken. */
  #waiting: number | undefined;
  /** Pictures that a newer one took the place of. */
  dropped = 0;

  /** longSide: pixels of a frame's longer side at most, now. */
  constructor(engine: Engine, longSide: () => number) {
    this.#engine = engine;
    this.#longSide = longSide;
  }

  /** Whose pictures are taken from now on. */
  set source(source: Source | undefined) {
    if (this.#source) this.#source.onframe = undefined;
    this.#source = source;
    this.#waiting = undefined;
    if (source)
      source.onframe = (capturedAt) => {
        if (this.#waiting !== undefined) this.dropped++;
        this.#waiting = capturedAt;
        this.next();
      };
  }

  /** Takes the newest picture, where one waits and the engine is ready. Call when that may have changed. */
  next(): void {
    const source = this.#source;
    const capturedAt = this.#waiting;
    if (!source?.active || !source.size.width || capturedAt === undefined || !this.#engine.ready) return;
    this.#waiting = undefined;
    const { width, height } = frameSize(source.size.width, source.size.height, this.#longSide());
    this.#engine.submit(source.element, width, height, capturedAt);
  }
}
