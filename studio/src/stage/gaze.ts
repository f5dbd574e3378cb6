/** Where the eyeballs look, from ARKit's eyeLook*. The degrees at weight 1 are those of service/vision/gaze.py. */

import { weightOf } from "./arkit.ts";

export const DOWN_DEGREES = 35;
export const UP_DEGREES = 27.1;
export const OUT_DEGREES = 39; // away from the nose
export const IN_DEGREES = 21.5; // toward it

const sideOf = (side: "Left" | "Right") => ({
  down: weightOf(`eyeLookDown${side}`),
  up: weightOf(`eyeLookUp${side}`),
  inward: weightOf(`eyeLookIn${side}`),
  outward: weightOf(`eyeLookOut${side}`),
  away: side === "Left" ? 1 : -1, // the sign of a yaw away from the nose
});
const SIDES = { left: sideOf("Left"), right: sideOf("Right") };

export type Side = keyof typeof SIDES;

/** Degrees relative to the head: yaw > 0 looks to the subject's left, pitch > 0 down. */
export function eyeAngles(weights: ArrayLike<number>, side: Side): { yaw: number; pitch: number } {
  const { down, up, inward, outward, away } = SIDES[side];
  return {
    yaw: away * (OUT_DEGREES * (weights[outward] ?? 0) - IN_DEGREES * (weights[inward] ?? 0)),
    pitch: DOWN_DEGREES * (weights[down] ?? 0) - UP_DEGREES * (weights[up] ?? 0),
  };
}
