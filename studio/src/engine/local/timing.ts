/** How long each step of a frame took, by the names of the API's timing_ms. */

/** decode: pixels out of the frame. preprocess: the networks' inputs. inference, refine: runs of the Multiple and of the
 * Single Face Network. postprocess: outputs to faces. track: assignment, smoothing and calibration. */
export type Step = "decode" | "preprocess" | "queue" | "inference" | "refine" | "postprocess" | "track";

/** A stopwatch for the steps of one frame. */
export class Laps {
  /** Milliseconds of each step. */
  readonly ms: Record<Step, number> = {
    decode: 0,
    preprocess: 0,
    queue: 0,
    inference: 0,
    refine: 0,
    postprocess: 0,
    track: 0,
  };
  #last = performance.now();

  /** Counts the time since the step before to this one. */
  end(step: Step): void {
    const now = performance.now();
    this.ms[step] += now - this.#last;
    this.#last = now;
  }
}
