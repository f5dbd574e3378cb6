/** How large the frames are that the engine gets. */

import { Median } from "../median.ts";

/** A size with the picture's proportions whose longer side has at most so many pixels; never enlarged. */
export function frameSize(width: number, height: number, longSide: number): { width: number; height: number } {
  const scale = Math.min(1, longSide / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

const SLOW_MS = 1000;
const QUICK_MS = 300;
const SAMPLES = 5;
const LEAST_SIDE = 320; // pixels; faces are hardly seen in less
/** Milliseconds of quick answers before frames grow again. */
const PATIENCE_MS = 10_000;

/** Makes frames smaller while answers take more than a second, and larger again when they have been quick for a
 * while. */
export class FrameBudget {
  #halvings = 0;
  readonly #roundTrip = new Median(SAMPLES);
  #quickSince: number | undefined;

  /** Whether frames are smaller than asked for, since answers are slow. */
  get slow(): boolean {
    return this.#halvings > 0;
  }

  /** The longer side to send, pixels, where this one is asked for. */
  side(asked: number): number {
    return Math.max(Math.min(asked, LEAST_SIDE), Math.round(asked / 2 ** this.#halvings));
  }

  /** An answer came after so many milliseconds, at a moment. */
  add(roundTrip: number, now: number): void {
    this.#roundTrip.add(roundTrip);
    const typical = this.#roundTrip.value ?? 0;
    if (this.#roundTrip.count < SAMPLES) return;
    if (typical > SLOW_MS) {
      this.#step(1);
    } else if (typical > QUICK_MS || !this.slow) {
      this.#quickSince = undefined;
    } else {
      this.#quickSince ??= now;
      if (now - this.#quickSince > PATIENCE_MS) this.#step(-1);
    }
  }

  #step(halvings: number): void {
    this.#halvings = Math.min(2, Math.max(0, this.#halvings + halvings));
    this.#roundTrip.clear();
    this.#quickSince = undefined;
  }
}
