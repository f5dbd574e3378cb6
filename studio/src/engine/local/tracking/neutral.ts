/** Neutral calibration: each person's expression at rest, subtracted from what they show, as in
 * service/tracking/neutral.py. During one second the faces of a stream are assumed to be at rest; from then on each
 * person's mean of that second is their zero. Gaze is a direction and is not calibrated. */

import { EXPRESSIONS } from "../vision/candidates.ts";

/** Of a track: not calibrated, its neutral expression is being collected, or it is being subtracted. */
export type NeutralState = "off" | "collecting" | "on";

const COLLECT_SECONDS = 1;
const MIN_RANGE = 0.1; // left to a coefficient that is near 1 at rest: its noise grows at most 10 times

/** A running mean of expressions. */
interface Mean {
  total: Float64Array;
  count: number;
}

/** The neutral expressions of one stream's tracks.
 *
 * Collecting starts with a frame and ends with the first frame at least a second later. Tracks that exist when it starts
 * take part; later ones do not, and a track without a face during that second stays as it was. A neutral expression
 * stays in use until the next one has been collected. */
export class NeutralCalibration {
  #neutral = new Map<number, Float64Array>();
  #collecting = new Map<number, Mean>();
  #requested = false;
  #end = Number.NEGATIVE_INFINITY;

  /** Starts to collect with the next frame; starts again if it is collecting already. */
  calibrate(): void {
    this.#requested = true;
  }

  /** Starts to collect anew with the next frame where it is collecting, since time has jumped. */
  restart(): void {
    this.#requested ||= this.#collecting.size > 0;
  }

  /** Forgets all neutral expressions and stops collecting. */
  reset(): void {
    this.#neutral.clear();
    this.#collecting.clear();
    this.#requested = false;
  }

  /** Begins a frame. alive: all tracks that the tracker keeps; others are forgotten. timestamp: seconds. */
  begin(alive: readonly number[], timestamp: number): void {
    for (const tracks of [this.#neutral, this.#collecting]) {
      for (const track of tracks.keys()) if (!alive.includes(track)) tracks.delete(track);
    }
    if (this.#requested) {
      this.#requested = false;
      this.#end = timestamp + COLLECT_SECONDS;
      this.#collecting = new Map(alive.map((track) => [track, { total: new Float64Array(EXPRESSIONS), count: 0 }]));
    } else if (this.#collecting.size > 0 && timestamp >= this.#end) {
      for (const [track, { total, count }] of this.#collecting) {
        if (count > 0)
          this.#neutral.set(
            track,
            total.map((sum) => sum / count),
          );
      }
      this.#collecting.clear();
    }
  }

  /** An expression (46,) of a face of the frame relative to its track's neutral one: 0 where that is or below, 1 at 1. */
  subtract(expression: Float32Array, track: number): Float32Array {
    const mean = this.#collecting.get(track);
    if (mean) {
      mean.total = mean.total.map((sum, k) => sum + (expression[k] as number));
      mean.count++;
    }
    const neutral = this.#neutral.get(track);
    return neutral ? relativeToNeutral(expression, neutral) : expression;
  }

  /** The state of a track after the last frame. */
  state(track: number): NeutralState {
    if (this.#collecting.has(track)) return "collecting";
    return this.#neutral.has(track) ? "on" : "off";
  }
}

/** An expression e relative to a neutral one n: clip((e - n) / (1 - n), 0, 1). */
function relativeToNeutral(expression: Float32Array, neutral: Float64Array): Float32Array {
  return expression.map((value, k) => {
    const rest = neutral[k] as number;
    return Math.min(1, Math.max(0, (value - rest) / Math.max(1 - rest, MIN_RANGE)));
  });
}
