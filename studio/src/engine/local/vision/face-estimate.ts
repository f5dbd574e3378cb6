/** Faces in the coordinates of the picture, as in service/vision/faces.py. */

import { type Quaternion, RADIANS } from "../../../rotation.ts";
import type { Box } from "./boxes.ts";
import type { Candidate } from "./candidates.ts";
import { type Letterbox, type Point, toPicture } from "./letterbox.ts";

/** Numbers of a gaze. */
export const GAZE_COEFFICIENTS = 8;

/** cm, camera frame. */
export type Translation = readonly [x: number, y: number, z: number];

/** What the networks estimate of one face. box: pixels of the picture; may reach past its edges. quaternion: head to
 * camera. scale: pixels per cm. identity: (50,) standard deviations. expression: (46,) in [0, 1]. gaze: (8,) in [0, 1];
 * undefined where the face was not refined. */
export interface FaceEstimate {
  score: number;
  box: Box;
  quaternion: Quaternion;
  translation: Translation;
  scale: number;
  identity: Float32Array;
  expression: Float32Array;
  gaze: Float32Array | undefined;
}

/** The size in pixels of the picture that faces are in. */
export interface PictureSize {
  width: number;
  height: number;
}

/** Degrees, from the picture's top to its bottom, of the camera that depth is told for. */
export const FIELD_OF_VIEW = 63;

/** The translation of a head whose origin projects to `origin`, pixels, at scale pixels per cm. Depth cannot be seen
 * under weak perspective; it is that of a camera with this vertical field of view, degrees. */
export function translationOf(
  [x, y]: Point,
  scale: number,
  { width, height }: PictureSize,
  fieldOfView = FIELD_OF_VIEW,
): Translation {
  const focalLength = height / 2 / Math.tan((fieldOfView * RADIANS) / 2); // pixels
  return [(x - width / 2) / scale, (height / 2 - y) / scale, -focalLength / scale];
}

/** A candidate in the network's input as a face in the picture that the letterbox holds. */
export function place(candidate: Candidate, letterbox: Letterbox, fieldOfView = FIELD_OF_VIEW): FaceEstimate {
  const { score, box, pose, identity, expression } = candidate;
  const [x1, y1] = toPicture(letterbox, [box[0], box[1]]);
  const [x2, y2] = toPicture(letterbox, [box[2], box[3]]);
  const scale = pose.scale / letterbox.scale;
  return {
    score,
    box: [x1, y1, x2, y2],
    quaternion: pose.quaternion,
    translation: translationOf(toPicture(letterbox, pose.origin), scale, letterbox, fieldOfView),
    scale,
    identity,
    expression,
    gaze: undefined,
  };
}
