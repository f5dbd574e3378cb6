/** How fast and how late things are: counts a second, medians, means. All times are milliseconds. */

import { Median } from "./median.ts";

/** How many events there were a second, over the last second. */
export class Rate {
  #times: number[] = [];

  add(now: number): void {
    this.#times.push(now);
    this.#forget(now);
  }

  /** Events a second at a moment. */
  at(now: number): number {
    this.#forget(now);
    return this.#times.length;
  }

  #forget(now: number): void {
    const first = this.#times.findIndex((time) => time > now - 1000);
    this.#times = first < 0 ? [] : this.#times.slice(first);
  }
}

/** Means of named values that follow slowly, so that they can be read. */
export class Means {
  readonly #values = new Map<string, number>();

  add(values: Readonly<Record<string, number | null | undefined>>): void {
    for (const [name, value] of Object.entries(values)) {
      if (typeof value !== "number") continue;
      const before = this.#values.get(name) ?? value;
      this.#values.set(name, before + (value - before) / 10);
    }
    for (const name of this.#values.keys()) if (typeof values[name] !== "number") this.#values.delete(name);
  }

  get entries(): [string, number][] {
    return [...this.#values];
  }
}

/** What the page tells about its speed. */
export class Figures {
  /** Answers since the page was opened. */
  answers = 0;
  /** Frames of the source that were given up, since a newer one came first. */
  dropped = 0;
  /** Faces of the latest answer. */
  faces = 0;
  readonly steps = new Means();
  readonly #answerRate = new Rate();
  readonly #roundTrip = new Median();
  readonly #latency = new Median(120);

  answered(answer: {
    faces: readonly unknown[];
    capturedAt: number;
    answeredAt: number;
    timing: Readonly<Record<string, number>>;
    dropped: number;
  }): void {
    this.answers++;
    this.dropped += answer.dropped;
    this.faces = answer.faces.length;
    this.steps.add(answer.timing);
    this.#answerRate.add(answer.answeredAt);
    this.#roundTrip.add(answer.answeredAt - answer.capturedAt);
  }

  /** A display frame showed a moment that was captured then. */
  drawn(capturedAt: number, drawnAt: number): void {
    this.#latency.add(drawnAt - capturedAt);
  }

  answersPerSecond(now: number): number {
    return this.#answerRate.at(now);
  }

  /** Median from a frame's capture to its answer. */
  get roundTrip(): number | undefined {
    return this.#roundTrip.value;
  }

  /** Median from the capture of what is shown to its being drawn. */
  get latency(): number | undefined {
    return this.#latency.value;
  }

  /** Another source: what was measured before says nothing about it. */
  restart(): void {
    this.#roundTrip.clear();
    this.#latency.clear();
    this.faces = 0;
  }
}
