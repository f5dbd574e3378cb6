/** Follows faces from frame to frame with the Single Face Network alone, as in service/tracking/follow.py: a face is
 * cropped around its landmarks in the frame before, and the network estimates it in this one. Errors do not accumulate,
 * since each estimate is made from the picture. */

import { dot, RADIANS } from "../../../rotation.ts";
import { type Box, iou } from "../vision/boxes.ts";
import { CROP_SIDE, cropAround, cropToPicture } from "../vision/crops.ts";
import type { FaceEstimate } from "../vision/face-estimate.ts";
import { boundsOf, type LandmarkModel, type Landmarks } from "../vision/landmarks.ts";
import { GREEN, type Picture, RGBA } from "../vision/pictures.ts";

// Limits of the change from one frame to the next. The network estimates a face in any crop, so a face counts as lost
// where the change is implausible; a false alarm costs a detection.
const MIN_SIMILARITY = 0.6; // of the face's patch in both frames, see similarity
const MAX_MOVE = 0.25; // face sizes, of the landmarks' centre; beyond it, the face reaches the crop's edge
const MAX_GROWTH = 0.15; // of log scale
const MAX_TURN = 15; // degrees
const MAX_IDENTITY_DISTANCE = 3; // standard deviations, see tracker.ts

const PATCH_SIDE = 8; // cells along a side of a face's grey patch
const PATCH_SAMPLES = 24; // pixels of the picture along a side that these are averaged from
const SIMILARITY_FLOOR = 30; // grey levels squared; keeps the similarity stable for patches without contrast
const MIN_EXTENT = 1e-3; // pixels

/** A face of a frame, unsmoothed, to be followed into the next one. landmarks: pixels. frame: the detected box relative to
 * the landmarks' box: offset of its centre and its size, both in widths and heights of the latter. patch: (8, 8) grey
 * levels of the face, upright. */
export interface FollowedFace {
  face: FaceEstimate;
  landmarks: Landmarks;
  frame: readonly [x: number, y: number, width: number, height: number];
  patch: Float64Array;
}

/** Starts to follow a face that was detected and refined in a picture. */
export function startFollowing(face: FaceEstimate, picture: Picture, model: LandmarkModel): FollowedFace {
  const landmarks = model.project(face, picture);
  const { x, y, width, height } = extentOf(landmarks);
  const [x1, y1, x2, y2] = face.box;
  const frame = [
    ((x1 + x2) / 2 - x) / width,
    ((y1 + y2) / 2 - y) / height,
    (x2 - x1) / width,
    (y2 - y1) / height,
  ] as const;
  return { face, landmarks, frame, patch: patchOf(picture, landmarks, face) };
}

/** The same face, refined in a later picture; its box moves with its landmarks. */
export function followed(
  before: FollowedFace,
  face: FaceEstimate,
  picture: Picture,
  model: LandmarkModel,
): FollowedFace {
  const landmarks = model.project(face, picture);
  const { x, y, width, height } = extentOf(landmarks);
  const [offsetX, offsetY, relativeWidth, relativeHeight] = before.frame;
  const [centreX, centreY] = [x + offsetX * width, y + offsetY * height];
  const [halfWidth, halfHeight] = [(relativeWidth * width) / 2, (relativeHeight * height) / 2];
  const box: Box = [centreX - halfWidth, centreY - halfHeight, centreX + halfWidth, centreY + halfHeight];
  return { face: { ...face, box }, landmarks, frame: before.frame, patch: patchOf(picture, landmarks, face) };
}

/** Whether one of several faces is lost in a later frame: whether the network has estimated something else there.
 *
 * identityDistances: of the later identities from those of their tracks, in standard deviations. maxIou: of the boxes of
 * two faces; beyond it, both crops hold the same face. */
export function anyLost(
  before: readonly FollowedFace[],
  later: readonly FollowedFace[],
  identityDistances: readonly number[],
  maxIou: number,
): boolean {
  const boxes = later.map(({ face }) => face.box);
  return before.some((first, i) => {
    const second = later[i];
    if (!second) return true;
    const others = boxes.reduce((most, box, k) => (k === i ? most : Math.max(most, iou(second.face.box, box))), 0);
    return !(unchanged(first, second) && (identityDistances[i] as number) <= MAX_IDENTITY_DISTANCE && others <= maxIou);
  });
}

/** Whether a face has changed as little as one does within a frame; false where a number is none. */
function unchanged(before: FollowedFace, later: FollowedFace): boolean {
  const [first, second] = [extentOf(before.landmarks), extentOf(later.landmarks)];
  const move = Math.hypot(second.x - first.x, second.y - first.y) / Math.sqrt(first.width * first.height);
  const growth = Math.abs(Math.log(later.face.scale / before.face.scale));
  const cosine = Math.abs(dot(before.face.quaternion, later.face.quaternion));
  const turn = (2 * Math.acos(Math.min(cosine, 1))) / RADIANS;
  return (
    similarity(before.patch, later.patch) >= MIN_SIMILARITY &&
    move <= MAX_MOVE &&
    growth <= MAX_GROWTH &&
    turn <= MAX_TURN
  );
}

/** Structural similarity of two grey patches: 1 for equal ones, 0 for unrelated ones. It is SSIM without its luminance
 * term (Wang, Bovik, Sheikh and Simoncelli, IEEE Transactions on Image Processing 13, 2004). */
export function similarity(patch: Float64Array, later: Float64Array): number {
  const [meanA, meanB] = [mean(patch), mean(later)];
  let covariance = 0;
  let variances = 0;
  for (let i = 0; i < patch.length; i++) {
    const a = (patch[i] as number) - meanA;
    const b = (later[i] as number) - meanB;
    covariance += a * b;
    variances += a * a + b * b;
  }
  const count = patch.length;
  return ((2 * covariance) / count + SIMILARITY_FLOOR) / (variances / count + SIMILARITY_FLOOR);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Centre and size in pixels of the box around landmarks. */
function extentOf(landmarks: Landmarks) {
  const [left, top, right, bottom] = boundsOf(landmarks);
  const width = Math.max(right - left, MIN_EXTENT);
  const height = Math.max(bottom - top, MIN_EXTENT);
  return { x: (left + right) / 2, y: (top + bottom) / 2, width, height };
}

/** Mean grey levels (8, 8) of the upright square around landmarks; edge pixels repeat outside the picture. */
function patchOf(picture: Picture, landmarks: Landmarks, { quaternion }: FaceEstimate): Float64Array {
  const toPicture = cropToPicture(cropAround(landmarks, quaternion, 1));
  const step = CROP_SIDE / PATCH_SAMPLES;
  const samples = PATCH_SAMPLES / PATCH_SIDE;
  const patch = new Float64Array(PATCH_SIDE * PATCH_SIDE);
  const [ratioX, ratioY] = [picture.columns / picture.width, picture.rows / picture.height];
  const [lastX, lastY] = [picture.columns - 1, picture.rows - 1];
  for (let row = 0; row < PATCH_SAMPLES; row++) {
    for (let column = 0; column < PATCH_SAMPLES; column++) {
      const [x, y] = toPicture([(column + 0.5) * step, (row + 0.5) * step]);
      const pixelX = Math.floor(Math.min(lastX, Math.max(0, x * ratioX)));
      const pixelY = Math.floor(Math.min(lastY, Math.max(0, y * ratioY)));
      const green = picture.pixels[(pixelY * picture.columns + pixelX) * RGBA + GREEN] as number;
      const cell = Math.floor(row / samples) * PATCH_SIDE + Math.floor(column / samples);
      patch[cell] = (patch[cell] as number) + green / samples ** 2;
    }
  }
  return patch;
}
