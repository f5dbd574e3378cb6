/** The 68 landmarks of the linear face model, as in service/vision/face_model.py. */

import { quaternionToMatrix } from "../../../rotation.ts";
import type { Box } from "./boxes.ts";
import { EXPRESSIONS, IDENTITY_MODES } from "./candidates.ts";
import type { FaceEstimate, PictureSize } from "./face-estimate.ts";

/** In iBUG's order: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67. */
export const LANDMARKS = 68;

const ROW = 3 * LANDMARKS;
const ROWS = 1 + IDENTITY_MODES + EXPRESSIONS;

/** x and y of each point in turn, pixels of the picture: (68, 2). */
export type Landmarks = Float64Array;

/** The box around points, x and y in turn. */
export function boundsOf(points: Float64Array): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 2) {
    const [x = 0, y = 0] = points.subarray(i, i + 2);
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return [left, top, right, bottom];
}

/** The 68 points, which move linearly with the coefficients. */
export class LandmarkModel {
  readonly #rows: Float32Array; // mean, identity modes, expressions: 97 rows of 204 numbers, cm in the head frame

  /** bytes: those of models/mobile/landmarks.bin, float32, little-endian. Throws RangeError for another number. */
  constructor(bytes: ArrayBuffer) {
    const expected = ROWS * ROW * Float32Array.BYTES_PER_ELEMENT;
    if (bytes.byteLength !== expected) {
      throw new RangeError(`The landmarks have ${bytes.byteLength} bytes; expected ${expected}.`);
    }
    const view = new DataView(bytes);
    this.#rows = Float32Array.from({ length: ROWS * ROW }, (_, i) => view.getFloat32(4 * i, true));
  }

  /** Where they lie in a picture of this size under weak perspective. */
  project(face: FaceEstimate, { width, height }: PictureSize): Landmarks {
    const shape = Float64Array.from(this.#rows.subarray(0, ROW));
    this.#add(shape, face.identity, 1);
    this.#add(shape, face.expression, 1 + IDENTITY_MODES);
    const m = quaternionToMatrix(face.quaternion);
    const { scale, translation } = face;
    const points = new Float64Array(2 * LANDMARKS);
    for (let i = 0; i < LANDMARKS; i++) {
      const [x = 0, y = 0, z = 0] = shape.subarray(3 * i, 3 * i + 3);
      points[2 * i] = width / 2 + scale * (m[0] * x + m[1] * y + m[2] * z + translation[0]);
      points[2 * i + 1] = height / 2 - scale * (m[3] * x + m[4] * y + m[5] * z + translation[1]);
    }
    return points;
  }

  /** Adds rows, from `first` on, each times its weight. */
  #add(shape: Float64Array, weights: Float32Array, first: number): void {
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i] as number;
      const row = (first + i) * ROW;
      for (let k = 0; k < ROW; k++) shape[k] = (shape[k] as number) + weight * (this.#rows[row + k] as number);
    }
  }
}
