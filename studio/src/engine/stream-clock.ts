/** The clock of a stream's frames. The service begins tracks anew where it jumps by more
 * than a second; but a tab that was hidden, or a still picture, pauses and goes on with the same people. So pauses are
 * shortened here. */

/** Milliseconds; less than the second from which the service takes a pause for another recording. */
const LONGEST_STEP = 900;
/** Milliseconds; times have to rise, and browsers' clocks may stand still. */
const SHORTEST_STEP = 0.001;

export class StreamClock {
  #captured: number | undefined;
  #time = 0;

  /** The time to tell for a frame that was captured then; both in milliseconds. It rises from call to call. */
  at(capturedAt: number): number {
    const step = this.#captured === undefined ? 0 : capturedAt - this.#captured;
    this.#time =
      this.#captured === undefined ? capturedAt : this.#time + Math.min(LONGEST_STEP, Math.max(SHORTEST_STEP, step));
    this.#captured = capturedAt;
    return this.#time;
  }
}
