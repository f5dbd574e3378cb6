/** A pose as a mirror shows it. */

import { MIRRORED, WEIGHTS } from "./arkit.ts";

/** Writes the mirror image of a pose: left and right weights change places, yaw and roll change sign. */
export function mirrorPose(pose: Float32Array, into: Float32Array): void {
  for (let i = 0; i < WEIGHTS; i++) into[i] = pose[MIRRORED[i] ?? i] ?? 0;
  into[WEIGHTS] = pose[WEIGHTS] ?? 0;
  into[WEIGHTS + 1] = -(pose[WEIGHTS + 1] ?? 0);
  into[WEIGHTS + 2] = -(pose[WEIGHTS + 2] ?? 0);
  into[WEIGHTS + 3] = pose[WEIGHTS + 3] ?? 1;
}
