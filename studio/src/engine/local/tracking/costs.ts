/** Measured costs of the two networks, and whether following is cheaper than detecting in every frame, as in
 * service/tracking/costs.py. */

import { median } from "../../../median.ts";

const WINDOW = 15; // measurements in a running median, which a few outliers do not change

/** Share by which the other choice must be cheaper before it is taken: the networks' estimates differ a little, and a
 * face should not flicker between them. */
const MIN_SAVING = 0.15;

/** Running medians of milliseconds: of a detection in a frame, and of the refinement of one face. */
export class Costs {
  readonly #detections: number[] = [];
  readonly #refinements: number[] = []; // of one face
  #following = true; // until both costs are known

  /** Adds the time that a detection took. */
  addDetection(milliseconds: number): void {
    add(this.#detections, milliseconds);
  }

  /** Adds the time that the refinement of so many faces took together. */
  addRefinement(milliseconds: number, faces: number): void {
    if (faces > 0) add(this.#refinements, milliseconds / faces);
  }

  /** Whether following so many faces with a detection every detectEvery frames is cheaper than detecting always: with r
   * for the refinement of a face and d for a detection, a frame costs faces * r + d / detectEvery or d. */
  followingPays(faces: number, detectEvery: number): boolean {
    if (this.#detections.length > 0 && this.#refinements.length > 0) {
      const follow = faces * median(this.#refinements);
      const saved = median(this.#detections) * (1 - 1 / detectEvery);
      this.#following = follow < saved * (this.#following ? 1 + MIN_SAVING : 1 - MIN_SAVING);
    }
    return this.#following;
  }
}

function add(window: number[], value: number): void {
  window.push(value);
  if (window.length > WINDOW) window.shift();
}
