/** The Single Face Network's outputs for a crop and for its mirror image, averaged, as in service/vision/mirroring.py:
 * their errors differ, which counts for heads that are turned to the side. */

import { GAZE_NAMES } from "mfn-client";
import { type Quaternion, quaternionToEuler } from "../../../rotation.ts";
import { CROP_BYTES, CROP_SIDE } from "./crops.ts";
import type { RawLook } from "./refinement.ts";

const MIRROR_YAW = 30; // degrees of yaw beyond which a head is also inferred from its mirror image
const ASYMMETRIC_IDENTITY_MODES: ReadonlySet<number> = new Set([9, 20, 25, 28, 33, 37, 43, 45]);
const ASYMMETRIC_POSE: ReadonlySet<number> = new Set([1, 2, 4]); // y and z of the quaternion, and the origin's x
const OTHER_SIDE: Readonly<Record<string, string>> = { _L: "_R", _R: "_L", Left: "Right", Right: "Left" };

/** Indices of the coefficients that take each one's place when a face is mirrored. */
export function mirrorPartners(names: readonly string[]): number[] {
  return names.map((name) => names.indexOf(name.replace(/(_L|_R|Left|Right)$/, (side) => OTHER_SIDE[side] as string)));
}

const GAZE_PARTNERS = mirrorPartners(GAZE_NAMES);

/** Whether a head is turned far enough to either side for a second look at its mirror image. */
export function isTurned(quaternion: Quaternion): boolean {
  return Math.abs(quaternionToEuler(quaternion).yaw) > MIRROR_YAW;
}

/** The mirror image of a crop (128, 128, 3). */
export function mirrored(crop: Uint8Array): Uint8Array {
  const result = new Uint8Array(CROP_BYTES);
  const stride = CROP_SIDE * 3;
  for (let row = 0; row < CROP_BYTES; row += stride) {
    for (let i = 0; i < stride; i += 3) {
      result.set(crop.subarray(row + i, row + i + 3), row + stride - 3 - i);
    }
  }
  return result;
}

/** The mean of the outputs for a crop and of those for its mirror image. expressionPartners: as mirrorPartners tells. */
export function averaged(straight: RawLook, mirror: RawLook, expressionPartners: readonly number[]): RawLook {
  return {
    pose: mean(straight.pose, (i) => (ASYMMETRIC_POSE.has(i) ? -1 : 1) * (mirror.pose[i] as number)),
    identity: mean(
      straight.identity,
      (i) => (ASYMMETRIC_IDENTITY_MODES.has(i) ? -1 : 1) * (mirror.identity[i] as number),
    ),
    expression: mean(straight.expression, (i) => mirror.expression[expressionPartners[i] as number] as number),
    gaze: mean(straight.gaze, (i) => mirror.gaze[GAZE_PARTNERS[i] as number] as number),
  };
}

function mean(values: Float32Array, back: (index: number) => number): Float32Array {
  return values.map((value, i) => (value + back(i)) / 2);
}
