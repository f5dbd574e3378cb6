/** Neutral faces: each person's expression at rest, subtracted from what they show, as in service/tracking/neutral.py.
 *
 * They belong to people, not to tracks or streams: they last while an engine's options change, and while its connection
 * is lost. During one second faces are assumed to be at rest; from then on each person's mean of that second is their
 * zero. Gaze is a direction and is not calibrated. */

import { EXPRESSION_NAMES, type Face } from "mfn-client";
import { blendshapes } from "../engine/arkit.ts";

/** Of a person: not calibrated, the neutral expression is being collected, or it is being subtracted. */
export type NeutralState = Face["neutral"];

const COLLECT_SECONDS = 1;
const MIN_RANGE = 0.1; // left to a coefficient that is near 1 at rest: its noise grows at most 10 times

/** A running mean of expressions. */
interface Mean {
  total: Float64Array;
  count: number;
}

/** The neutral expressions of people.
 *
 * Collecting starts with a frame and ends with the first frame at least a second later. People who are there when it
 * starts take part; later ones do not, and a person without a face during that second stays as they were. A neutral
 * expression stays in use until the next one has been collected. */
export class NeutralFaces {
  #neutral = new Map<number, Float64Array>();
  #collecting = new Map<number, Mean>();
  #requested = false;
  #end = Number.NEGATIVE_INFINITY;

  /** Starts to collect with the next frame; starts again if it is collecting already. */
  calibrate(): void {
    this.#requested = true;
  }

  /** Forgets all neutral expressions and stops collecting. */
  reset(): void {
    this.#neutral.clear();
    this.#collecting.clear();
    this.#requested = false;
  }

  /** Begins a frame. people: all who are seen or awaited; others are forgotten. timestamp: seconds. */
  begin(people: readonly number[], timestamp: number): void {
    for (const known of [this.#neutral, this.#collecting]) {
      for (const person of known.keys()) if (!people.includes(person)) known.delete(person);
    }
    if (this.#requested) {
      this.#requested = false;
      this.#end = timestamp + COLLECT_SECONDS;
      this.#collecting = new Map(
        people.map((person) => [person, { total: new Float64Array(EXPRESSION_NAMES.length), count: 0 }]),
      );
    } else if (this.#collecting.size > 0 && timestamp >= this.#end) {
      for (const [person, { total, count }] of this.#collecting) {
        if (count > 0)
          this.#neutral.set(
            person,
            total.map((sum) => sum / count),
          );
      }
      this.#collecting.clear();
    }
  }

  /** A face of the frame relative to the person's neutral one. */
  relative(face: Face, person: number): Face {
    const neutral = this.state(person);
    if (neutral === "off") return face;
    const absolute = Float32Array.from(EXPRESSION_NAMES, (name) => face.expression[name]);
    const relative = this.subtract(absolute, person);
    if (relative === absolute) return { ...face, neutral };
    const named = EXPRESSION_NAMES.map((name, k) => [name, relative[k] as number]);
    const expression = Object.fromEntries(named) as Face["expression"];
    return { ...face, expression, blendshapes: blendshapes(expression, face.gaze), neutral };
  }

  /** An expression (46,) of a face of the frame relative to the person's neutral one: 0 where that is or below, 1 at 1.
   * The same array where there is none. */
  subtract(expression: Float32Array, person: number): Float32Array {
    const mean = this.#collecting.get(person);
    if (mean) {
      mean.total = mean.total.map((sum, k) => sum + (expression[k] as number));
      mean.count++;
    }
    const neutral = this.#neutral.get(person);
    return neutral ? relativeToNeutral(expression, neutral) : expression;
  }

  /** The state of a person after the last frame. */
  state(person: number): NeutralState {
    if (this.#collecting.has(person)) return "collecting";
    return this.#neutral.has(person) ? "on" : "off";
  }
}

/** An expression e relative to a neutral one n: clip((e - n) / (1 - n), 0, 1). */
function relativeToNeutral(expression: Float32Array, neutral: Float64Array): Float32Array {
  return expression.map((value, k) => {
    const rest = neutral[k] as number;
    return Math.min(1, Math.max(0, (value - rest) / Math.max(1 - rest, MIN_RANGE)));
  });
}
