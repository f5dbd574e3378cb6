/** The Single Face Network's estimates of faces, alone or blended with the Multiple Face Network's, as in
 * service/vision/refinement.py. */

import { alignSign, multiply, normalize, type Quaternion, turnInPlane } from "../../../rotation.ts";
import { decodePose, type Prior, sigmoid } from "./candidates.ts";
import { CROP_SIDE, type Crop, cropToPicture } from "./crops.ts";
import { type FaceEstimate, FIELD_OF_VIEW, type PictureSize, translationOf } from "./face-estimate.ts";

/** Weight of the Multiple Face Network's pose and identity beside the Single Face Network's, whose errors differ.
 * Expressions are not blended: the Multiple Face Network's are too weak. */
const MFN_WEIGHT = 0.15;

const PRIOR: Prior = { x: CROP_SIDE / 2, y: CROP_SIDE / 2, width: CROP_SIDE, height: CROP_SIDE };

/** The network's raw outputs for one crop: (7,), (50,), (46,), (8,). */
export interface RawLook {
  pose: Float32Array;
  identity: Float32Array;
  expression: Float32Array;
  gaze: Float32Array;
}

/** The face with pose, identity, expression and gaze of the network's outputs for its crop; box and score stay. */
export function refined(
  face: FaceEstimate,
  crop: Crop,
  raw: RawLook,
  size: PictureSize,
  fieldOfView = FIELD_OF_VIEW,
): FaceEstimate {
  const pose = decodePose(raw.pose, PRIOR);
  const scale = (pose.scale * crop.side) / CROP_SIDE;
  return {
    score: face.score,
    box: face.box,
    quaternion: normalize(multiply(turnInPlane(crop.roll), pose.quaternion)),
    translation: translationOf(cropToPicture(crop)(pose.origin), scale, size, fieldOfView),
    scale,
    identity: raw.identity,
    expression: raw.expression.map(sigmoid),
    gaze: raw.gaze.map(sigmoid),
  };
}

/** Two estimates of one face in one picture: the refined one, its pose and identity moved by MFN_WEIGHT toward the
 * coarse one. */
export function blend(coarse: FaceEstimate, refined: FaceEstimate): FaceEstimate {
  const [ax, ay, az, aw] = alignSign(refined.quaternion, coarse.quaternion);
  const [bx, by, bz, bw] = refined.quaternion;
  const quaternion: Quaternion = [mean(ax, bx), mean(ay, by), mean(az, bz), mean(aw, bw)];
  const [ux, uy, uz] = coarse.translation;
  const [vx, vy, vz] = refined.translation;
  return {
    ...refined,
    quaternion: normalize(quaternion),
    translation: [mean(ux, vx), mean(uy, vy), mean(uz, vz)],
    scale: 1 / mean(1 / coarse.scale, 1 / refined.scale), // depth is blended, which is inverse to scale
    identity: refined.identity.map((value, k) => mean(coarse.identity[k] as number, value)),
  };
}

function mean(coarse: number, refined: number): number {
  return refined + MFN_WEIGHT * (coarse - refined);
}
