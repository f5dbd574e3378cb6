/** The One-Euro filter on every quantity of a face, as in service/tracking/smoothing.py: steady while a face is still,
 * with little lag while it moves. Speeds are normalized to units a second that a moving face reaches: face sizes for box
 * and origin, 1 for logarithm of scale, expressions and gaze, radians for the rotation, 10 standard deviations for
 * identity, whose noise looks like speed. A missing gaze stays missing: its filters start anew with the next gaze. */

import {
  inverse,
  multiply,
  type Quaternion,
  quaternionToRotationVector,
  rotationVectorToQuaternion,
} from "../../../rotation.ts";
import type { Box } from "../vision/boxes.ts";
import { EXPRESSIONS, FACE_HEIGHT_CM, IDENTITY_MODES } from "../vision/candidates.ts";
import { type FaceEstimate, GAZE_COEFFICIENTS } from "../vision/face-estimate.ts";

/** Parameters of the filter. minCutoff: Hz, for a still face. beta: Hz that the cutoff rises by when a face moves at one
 * unit a second. derivativeCutoff: Hz, of the filter of the speed itself. */
export interface SmoothingOptions {
  minCutoff: number;
  beta: number;
  derivativeCutoff: number;
}

export const DEFAULT_SMOOTHING: SmoothingOptions = { minCutoff: 1, beta: 4, derivativeCutoff: 1 };

const IDENTITY_UNIT = 10; // standard deviations

// Columns of the filtered quantities. The rotation is a rotation vector, in steps and speeds only.
const BOX = 0;
const ORIGIN = 4;
const SCALE = 6;
const IDENTITY = 7;
const EXPRESSION = IDENTITY + IDENTITY_MODES;
const GAZE = EXPRESSION + EXPRESSIONS;
const ROTATION = GAZE + GAZE_COEFFICIENTS;
const COLUMNS = ROTATION + 3;

/** The state of one track's filters. value: (111,) smoothed columns. speed: (114,) of these and the rotation, filtered,
 * per second. timestamp: of the frame, seconds. Value and speed are NaN in the columns of a missing gaze. */
interface State {
  value: Float64Array;
  quaternion: Quaternion;
  speed: Float64Array;
  timestamp: number;
}

/** The filters of one stream, one for each track and quantity. */
export class Smoother {
  readonly #options: SmoothingOptions;
  readonly #states = new Map<number, State>();

  constructor(options: SmoothingOptions = DEFAULT_SMOOTHING) {
    this.#options = options;
  }

  /** A face smoothed with the earlier ones of its track; the first is returned unchanged. timestamp: seconds. */
  smooth(face: FaceEstimate, track: number, timestamp: number): FaceEstimate {
    const last = this.#states.get(track);
    const state = last ? this.#next(last, face, timestamp) : started(face, timestamp);
    this.#states.set(track, state);
    return replaced(face, state);
  }

  /** Keeps the states of these tracks and forgets all others. */
  keep(alive: readonly number[]): void {
    for (const track of this.#states.keys()) if (!alive.includes(track)) this.#states.delete(track);
  }

  #next(last: State, face: FaceEstimate, timestamp: number): State {
    const measured = columnsOf(face);
    const elapsed = timestamp - last.timestamp;
    const turn = quaternionToRotationVector(multiply(face.quaternion, inverse(last.quaternion)));
    const before = last.value.map((value, k) => (Number.isNaN(value) ? (measured[k] as number) : value));
    const step = new Float64Array(COLUMNS);
    for (let k = 0; k < ROTATION; k++) step[k] = (measured[k] as number) - (before[k] as number);
    step.set(turn, ROTATION);
    const towards = smoothingFactor(this.#options.derivativeCutoff, elapsed);
    const speed = last.speed.map((value, k) => {
      const old = Number.isNaN(value) ? 0 : value;
      return old + towards * ((step[k] as number) / elapsed - old);
    });
    const normalized = normalizedSpeed(speed, face.scale * FACE_HEIGHT_CM);
    const { minCutoff, beta } = this.#options;
    const taken = step.map(
      (value, k) => value * smoothingFactor(minCutoff + beta * (normalized[k] as number), elapsed),
    );
    const [x = 0, y = 0, z = 0] = taken.subarray(ROTATION);
    return {
      value: before.map((value, k) => value + (taken[k] as number)),
      quaternion: multiply(rotationVectorToQuaternion([x, y, z]), last.quaternion), // this is a slerp
      speed,
      timestamp,
    };
  }
}

function started(face: FaceEstimate, timestamp: number): State {
  return { value: columnsOf(face), quaternion: face.quaternion, speed: new Float64Array(COLUMNS), timestamp };
}

/** The filtered columns (111,) of a face. The head's origin in pixels stands for its translation: with the latter, a face
 * far from the picture's centre would jump visibly with the jitter of its scale. */
function columnsOf(face: FaceEstimate): Float64Array {
  const columns = new Float64Array(ROTATION);
  columns.set(face.box, BOX);
  columns.set([face.scale * face.translation[0], face.scale * face.translation[1], Math.log(face.scale)], ORIGIN);
  columns.set(face.identity, IDENTITY);
  columns.set(face.expression, EXPRESSION);
  if (face.gaze) columns.set(face.gaze, GAZE);
  else columns.fill(Number.NaN, GAZE);
  return columns;
}

function replaced(face: FaceEstimate, { value, quaternion }: State): FaceEstimate {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0, originX = 0, originY = 0, logScale = 0] = value;
  const box: Box = [x1, y1, x2, y2];
  const scale = Math.exp(logScale);
  const [x, y, z, w] = quaternion;
  return {
    score: face.score,
    box,
    quaternion: w < 0 ? [-x, -y, -z, -w] : quaternion,
    translation: [originX / scale, originY / scale, (face.translation[2] * face.scale) / scale],
    scale,
    identity: Float32Array.from(value.subarray(IDENTITY, EXPRESSION)),
    expression: Float32Array.from(value.subarray(EXPRESSION, GAZE), clipped),
    gaze: face.gaze && Float32Array.from(value.subarray(GAZE), clipped),
  };
}

/** Absolute speeds (114,) in the units a second that this file's beginning tells. The components of a box, an origin and
 * a rotation share their common speed: a box keeps its shape and a path stays straight. size: of the face, pixels. */
function normalizedSpeed(speed: Float64Array, size: number): Float64Array {
  const normalized = speed.map(Math.abs);
  const norm = (start: number, end: number) => Math.hypot(...speed.subarray(start, end));
  normalized.fill(norm(BOX, ORIGIN) / size / Math.SQRT2, BOX, ORIGIN); // of two corners: their root mean square
  normalized.fill(norm(ORIGIN, SCALE) / size, ORIGIN, SCALE);
  for (let k = IDENTITY; k < EXPRESSION; k++) normalized[k] = (normalized[k] as number) / IDENTITY_UNIT;
  normalized.fill(norm(ROTATION, COLUMNS), ROTATION, COLUMNS);
  return normalized;
}

/** The smoothing factor 1 / (1 + tau / T) of a low-pass filter. cutoff: Hz. elapsed: T, seconds. */
function smoothingFactor(cutoff: number, elapsed: number): number {
  return 1 / (1 + 1 / (2 * Math.PI * cutoff * elapsed));
}

function clipped(value: number): number {
  return Math.min(1, Math.max(0, value));
}
