/** When the next frame of a stream is taken: as soon as the service has time for it, and not earlier, since it would wait
 * there and be old. */

/** How far apart frames are, by answer: closer by a share of the difference to what the service tells that it takes,
 * which is not all; and further where it drops one. */
const CLOSER = 0.04;
const APART_AFTER_DROP = 1.15;
/** Milliseconds. */
const AT_FIRST = 33;
const FARTHEST_APART = 1000;

export class Pacing {
  #apart = AT_FIRST;
  #takenAt = Number.NEGATIVE_INFINITY;
  #onTheWay = 0;

  /** Whether a frame may be taken at now, milliseconds; the service has at most one. */
  due(now: number): boolean {
    return this.#onTheWay === 0 || now - this.#takenAt >= this.#apart;
  }

  /** A frame is taken at now. */
  taken(now: number): void {
    this.#takenAt = now;
  }

  /** It is sent. */
  sent(): void {
    this.#onTheWay++;
  }

  /** What was sent comes to its end. serviceTime: milliseconds that the service took, without what the frame waited;
   * undefined where the frame was dropped or failed. */
  ended(serviceTime: number | undefined): void {
    this.#onTheWay--;
    if (serviceTime === undefined) this.#apart = Math.min(APART_AFTER_DROP * this.#apart, FARTHEST_APART);
    else this.#apart += CLOSER * (serviceTime - this.#apart);
  }
}
