/** A person's motion at the display's rate, between answers that come late and at uneven times.
 *
 * A clock runs behind the display's by the delay with which the next answer is nearly always there, and the motion is
 * read where that clock stands. Each value shown lies between values that were answered: nothing is foretold, so nothing
 * has to be taken back. Times are milliseconds on performance.now()'s clock. */

import { WEIGHTS } from "./arkit.ts";

/** Values of a pose: ARKit's weights in the order of ARKIT_NAMES, then the head's rotation, x, y, z, w. */
export const POSE_VALUES = WEIGHTS + 4;

/** A face at rest that looks ahead. */
export function neutralPose(): Float32Array {
  const pose = new Float32Array(POSE_VALUES);
  pose[WEIGHTS + 3] = 1;
  return pose;
}

// The delay is this quantile of what the latest answers needed: fewer underruns against more delay.
const QUANTILE = 0.8;
const ANSWERS_COUNTED = 32; // a second at 30 answers a second
// An answer that needed more is a gap, over which the delay does not stretch.
const LONGEST_DELAY = 400;
// A clock that is early or late by this many milliseconds runs at half or double speed at the most.
const CATCH_UP = 80;
const SLOWEST = 0.5;
const FASTEST = 2;
// A clock that is later does not catch up: the face moves from where it is to where the motion is.
const REJOIN_BEYOND = 300;
const REJOIN_MS = 220;
const REST_MS = 700;
const SAMPLES_KEPT = 64; // of answers that come while nothing is drawn

interface Sample {
  capturedAt: number;
  values: Float32Array;
}

export class Motion {
  /** What the face does at the moment of the latest update. */
  readonly pose = neutralPose();
  /** When the moment that is shown was captured. */
  capturedAt = 0;

  private samples: Sample[] = [];
  private needed: number[] = [];
  private delay = 0;
  private clock = 0;
  private updatedAt: number | undefined;
  private running = false; // false until the first update after the first answer, or after a rest
  private from = neutralPose(); // what was shown when the face began to move to `live`, or to rest
  private moveBegan = Number.NEGATIVE_INFINITY;
  private moveMs = REJOIN_MS;
  private readonly live = neutralPose();

  /** Whether no answer has come since the rest, or ever. */
  get resting(): boolean {
    return this.samples.length === 0;
  }

  /** Takes an answer. values: as a pose; they are copied. An answer that is not newer than the one before is left out. */
  take(values: Float32Array, capturedAt: number, answeredAt: number): void {
    const before = this.samples.at(-1);
    if (!Number.isFinite(capturedAt) || !Number.isFinite(answeredAt) || !values.every(Number.isFinite)) return;
    if (before && capturedAt <= before.capturedAt) return;
    const sample = { capturedAt, values: values.slice() };
    if (before) {
      faceSameWay(sample.values, before.values);
      const needed = answeredAt - before.capturedAt;
      if (needed < LONGEST_DELAY) this.count(needed);
    } else if (this.delay === 0) {
      this.delay = Math.min(2 * Math.max(answeredAt - capturedAt, 0), LONGEST_DELAY);
    }
    this.samples.push(sample);
    if (this.samples.length > SAMPLES_KEPT) this.samples.shift();
  }

  /** The person is not seen: the face comes to rest. */
  rest(now: number): void {
    if (this.resting) return;
    this.samples = [];
    this.running = false;
    this.moveFromHere(now, REST_MS);
    this.live.set(neutralPose());
  }

  /** Moves to what is shown at now, at a display frame. */
  update(now: number): void {
    const elapsed = Math.max(now - (this.updatedAt ?? now), 0);
    this.updatedAt = now;
    if (this.samples.length > 0) this.advance(now, elapsed);
    else this.capturedAt = now;
    const progress = Math.min(Math.max((now - this.moveBegan) / this.moveMs, 0), 1);
    mix(this.pose, this.from, this.live, progress * progress * (3 - 2 * progress));
  }

  private count(needed: number): void {
    this.needed.push(needed);
    if (this.needed.length > ANSWERS_COUNTED) this.needed.shift();
    const sorted = this.needed.toSorted((a, b) => a - b);
    this.delay = sorted[Math.min(Math.floor(QUANTILE * sorted.length), sorted.length - 1)] ?? this.delay;
  }

  private advance(now: number, elapsed: number): void {
    const target = now - this.delay;
    const late = target - this.clock;
    if (!this.running || late > REJOIN_BEYOND) {
      // Without a newer answer there is nothing to move to: the face holds what it shows.
      const newest = this.samples.at(-1)?.capturedAt ?? 0;
      if (!this.running || newest > this.clock) {
        this.moveFromHere(now, REJOIN_MS);
        this.clock = target;
        this.running = true;
      }
    } else {
      const speed = 1 + late / CATCH_UP;
      this.clock += elapsed * Math.min(Math.max(speed, SLOWEST), FASTEST);
    }
    this.read();
  }

  private moveFromHere(now: number, milliseconds: number): void {
    this.from.set(this.pose);
    this.moveBegan = now;
    this.moveMs = milliseconds;
  }

  /** Reads the samples where the clock stands into live. The clock waits at the newest sample. */
  private read(): void {
    const samples = this.samples;
    // A sample before the segment is kept: the speed at which the segment begins.
    while (samples.length > 3 && (samples[2]?.capturedAt ?? 0) <= this.clock) samples.shift();
    const next = samples.findIndex((sample) => sample.capturedAt > this.clock);
    const end = samples[next < 0 ? samples.length - 1 : next];
    if (!end) return;
    const start = samples[next - 1];
    if (!start) {
      this.live.set(end.values);
      if (next < 0) this.clock = end.capturedAt;
      this.capturedAt = end.capturedAt;
      return;
    }
    this.capturedAt = this.clock;
    const before = samples[next - 2] ?? start;
    const span = end.capturedAt - start.capturedAt;
    const spanBefore = start.capturedAt - before.capturedAt;
    const along = (this.clock - start.capturedAt) / span;
    for (let i = 0; i < POSE_VALUES; i++) {
      const a = start.values[i] ?? 0;
      const b = end.values[i] ?? 0;
      const change = b - a;
      // The speed goes on from the segment before, where it leads the same way; at three times the mean speed the
      // curve is still monotone (Fritsch and Carlson), and so between a and b.
      const came = spanBefore > 0 ? ((a - (before.values[i] ?? 0)) * span) / spanBefore : change;
      const begin = came * change > 0 ? Math.sign(change) * Math.min(Math.abs(came), 2 * Math.abs(change)) : 0;
      this.live[i] = hermite(a, b, begin, change, along);
    }
  }
}

/** Cubic from a to b that begins and ends with the given changes a segment. along: 0 to 1. */
function hermite(a: number, b: number, begin: number, end: number, along: number): number {
  const t = along;
  const s = 1 - t;
  return a * s * s * (1 + 2 * t) + begin * t * s * s + b * t * t * (3 - 2 * t) - end * t * t * s;
}

/** Turns the sign of a rotation, which changes nothing, where it would make the way to it the long one. */
function faceSameWay(pose: Float32Array, other: Float32Array): void {
  let dot = 0;
  for (let i = WEIGHTS; i < POSE_VALUES; i++) dot += (pose[i] ?? 0) * (other[i] ?? 0);
  if (dot < 0) for (let i = WEIGHTS; i < POSE_VALUES; i++) pose[i] = -(pose[i] ?? 0);
}

/** Writes the pose between a (0) and b (1). The rotation is normalised. */
function mix(into: Float32Array, a: Float32Array, b: Float32Array, amount: number): void {
  faceSameWay(a, b);
  let square = 0;
  for (let i = 0; i < POSE_VALUES; i++) {
    const value = (a[i] ?? 0) * (1 - amount) + (b[i] ?? 0) * amount;
    into[i] = value;
    if (i >= WEIGHTS) square += value * value;
  }
  const norm = Math.sqrt(square) || 1;
  for (let i = WEIGHTS; i < POSE_VALUES; i++) into[i] = (into[i] ?? 0) / norm;
}
