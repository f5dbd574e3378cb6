/** A Kalman filter of a face's box with constant velocity, exact for any time step, as in service/tracking/kalman.py. The
 * centre in pixels and the logarithm of the size follow the same model, so one covariance, in units of the face's size,
 * serves all four coordinates of a box. */

import type { Box } from "../vision/boxes.ts";

const MEASUREMENT_NOISE = 0.03; // face sizes, standard deviation of a detected box's centre
const PROCESS_NOISE = 6; // power spectral density of the acceleration, face sizes^2 / s^3
const INITIAL_SPEED = 2; // face sizes / s, standard deviation for a new box
const MIN_SIDE = 1e-3; // pixels; keeps the logarithm of a side finite

/** Centre x, y in pixels, logarithm of width and height. */
type Position = readonly [x: number, y: number, logWidth: number, logHeight: number];

/** The filter's state. velocity: of position, per second. variance, covariance, speedVariance: of position, of position
 * with velocity, and of velocity, in face sizes. */
export interface KalmanBox {
  position: Position;
  velocity: Position;
  variance: number;
  covariance: number;
  speedVariance: number;
}

/** The state of a box that is seen for the first time. */
export function startBox(box: Box): KalmanBox {
  return {
    position: positionOf(box),
    velocity: [0, 0, 0, 0],
    variance: MEASUREMENT_NOISE ** 2,
    covariance: 0,
    speedVariance: INITIAL_SPEED ** 2,
  };
}

export function boxOf({ position: [x, y, logWidth, logHeight] }: KalmanBox): Box {
  const halfWidth = Math.exp(logWidth) / 2;
  const halfHeight = Math.exp(logHeight) / 2;
  return [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight];
}

/** The geometric mean of the box's sides, pixels. */
export function sizeOf({ position: [, , logWidth, logHeight] }: KalmanBox): number {
  return Math.exp((logWidth + logHeight) / 2);
}

/** Standard deviation of where the next box's centre will be measured, in face sizes. */
export function deviationOf({ variance }: KalmanBox): number {
  return Math.sqrt(variance + MEASUREMENT_NOISE ** 2);
}

/** The state predicted for a time later. */
export function predictBox(state: KalmanBox, seconds: number): KalmanBox {
  const { variance, covariance, speedVariance } = state;
  const t = seconds;
  return {
    position: moved(state.position, state.velocity, t),
    velocity: state.velocity,
    variance: variance + 2 * t * covariance + t ** 2 * speedVariance + (PROCESS_NOISE * t ** 3) / 3,
    covariance: covariance + t * speedVariance + (PROCESS_NOISE * t ** 2) / 2,
    speedVariance: speedVariance + PROCESS_NOISE * t,
  };
}

/** The state updated by a measured box. */
export function updateBox(state: KalmanBox, box: Box): KalmanBox {
  const { position, velocity, variance, covariance, speedVariance } = state;
  const total = variance + MEASUREMENT_NOISE ** 2;
  const gain = variance / total;
  const speedGain = covariance / total;
  const error = moved(positionOf(box), position, -1);
  return {
    position: moved(position, error, gain),
    velocity: moved(velocity, error, speedGain),
    variance: (1 - gain) * variance,
    covariance: (1 - gain) * covariance,
    speedVariance: speedVariance - speedGain * covariance,
  };
}

function positionOf([x1, y1, x2, y2]: Box): Position {
  const width = Math.log(Math.max(x2 - x1, MIN_SIDE));
  const height = Math.log(Math.max(y2 - y1, MIN_SIDE));
  return [(x1 + x2) / 2, (y1 + y2) / 2, width, height];
}

/** position + factor * step. */
function moved(position: Position, step: Position, factor: number): Position {
  const [x, y, w, h] = position;
  return [x + factor * step[0], y + factor * step[1], w + factor * step[2], h + factor * step[3]];
}
