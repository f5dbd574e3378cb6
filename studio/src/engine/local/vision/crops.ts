/** Upright crops of faces, the Single Face Network's input, as in service/vision/crops.py. */

import { type Quaternion, RADIANS, twistAngle } from "../../../rotation.ts";
import { boundsOf, type Landmarks } from "./landmarks.ts";
import type { Point } from "./letterbox.ts";
import { PAD_GREY, type Picture, type Region, RGBA, reduce } from "./pictures.ts";

/** Pixels of the Single Face Network's square input. */
export const CROP_SIDE = 128;

/** Bytes of a crop, RGB. */
export const CROP_BYTES = CROP_SIDE * CROP_SIDE * 3;

/** A square of the picture, turned so that the head in it is upright. x, y: its centre, pixels of the picture. side:
 * pixels of the picture. roll: degrees, counter-clockwise as seen, that the square is turned by. */
export interface Crop {
  x: number;
  y: number;
  side: number;
  roll: number;
}

/** The crop around projected landmarks of a head with this rotation: turned upright, their bounding box has the crop's
 * centre; the crop's side is cropFactor times its longer one. */
export function cropAround(landmarks: Landmarks, quaternion: Quaternion, cropFactor: number): Crop {
  const roll = twistAngle(quaternion);
  const c = Math.cos(roll * RADIANS);
  const s = Math.sin(roll * RADIANS);
  const upright = landmarks.slice();
  for (let i = 0; i < upright.length; i += 2) {
    const [x = 0, y = 0] = landmarks.subarray(i, i + 2);
    upright[i] = c * x - s * y;
    upright[i + 1] = s * x + c * y;
  }
  const [left, top, right, bottom] = boundsOf(upright);
  const u = (left + right) / 2;
  const v = (top + bottom) / 2;
  const side = Math.max(1, cropFactor * Math.max(right - left, bottom - top));
  return { x: c * u + s * v, y: c * v - s * u, side, roll };
}

/** Converts points of a crop of CROP_SIDE pixels to pixels of the picture. */
export function cropToPicture(crop: Crop): (point: Point) => Point {
  const c = (Math.cos(crop.roll * RADIANS) * crop.side) / CROP_SIDE;
  const s = (Math.sin(crop.roll * RADIANS) * crop.side) / CROP_SIDE;
  const middle = CROP_SIDE / 2;
  return ([x, y]) => [c * (x - middle) + s * (y - middle) + crop.x, c * (y - middle) - s * (x - middle) + crop.y];
}

/** Resamples a crop to RGB pixels (128, 128, 3), grey outside the picture: shrinks by averaging, then interpolates. */
export function sampleCrop(crop: Crop, picture: Picture): Uint8Array {
  const result = new Uint8Array(CROP_BYTES).fill(PAD_GREY);
  const ratioX = picture.columns / picture.width;
  const ratioY = picture.rows / picture.height;
  const toPicture = cropToPicture(crop);
  const toPixels = (x: number, y: number): Point => {
    const [pictureX, pictureY] = toPicture([x, y]);
    return [pictureX * ratioX, pictureY * ratioY];
  };
  const corners = [toPixels(0, 0), toPixels(CROP_SIDE, 0), toPixels(0, CROP_SIDE), toPixels(CROP_SIDE, CROP_SIDE)];
  const [left, right] = reach(
    corners.map(([x]) => x),
    picture.columns,
  );
  const [top, bottom] = reach(
    corners.map(([, y]) => y),
    picture.rows,
  );
  if (left >= right || top >= bottom) return result;
  const shrink = Math.max(1, Math.floor((crop.side * Math.max(ratioX, ratioY)) / CROP_SIDE));
  const [originX, originY] = toPixels(0.5, 0.5);
  // The way from the crop's pixels to the picture's is affine: three of them tell the others.
  const [rightX, rightY] = toPixels(1.5, 0.5);
  const [belowX, belowY] = toPixels(0.5, 1.5);
  const source = shrunk(picture, { left, top, right, bottom }, shrink);
  const grid = {
    origin: [(originX - source.left) / shrink, (originY - source.top) / shrink],
    column: [(rightX - originX) / shrink, (rightY - originY) / shrink],
    row: [(belowX - originX) / shrink, (belowY - originY) / shrink],
  } as const;
  interpolate(source, grid, result);
  return result;
}

/** Pixels to interpolate between: RGB or RGBA. left, top: of them in the picture's pixels. */
interface Source {
  bytes: Uint8Array | Uint8ClampedArray;
  columns: number;
  rows: number;
  channels: number;
  left: number;
  top: number;
}

/** The region of a picture, shrunk by a whole factor; the picture itself where that is 1. */
function shrunk(picture: Picture, region: Region, shrink: number): Source {
  if (shrink > 1) return { ...reduce(picture, region, shrink, shrink), left: region.left, top: region.top };
  const { pixels: bytes, columns, rows } = picture;
  return { bytes, columns, rows, channels: RGBA, left: 0, top: 0 };
}

/** Where the crop's pixels lie in a source: the centre of the first, and the steps to the next column and row. */
interface Grid {
  origin: Point;
  column: Point;
  row: Point;
}

/** Writes the crop's RGB pixels that lie in the source: bilinear, of the four nearest; edge pixels repeat. */
function interpolate({ bytes, columns, rows, channels }: Source, grid: Grid, result: Uint8Array): void {
  const { origin, column, row } = grid;
  const stride = columns * channels;
  let target = 0;
  for (let y = 0; y < CROP_SIDE; y++) {
    for (let x = 0; x < CROP_SIDE; x++, target += 3) {
      const u = origin[0] + x * column[0] + y * row[0];
      const v = origin[1] + x * column[1] + y * row[1];
      if (u < 0 || v < 0 || u >= columns || v >= rows) continue;
      const i = Math.floor(u - 0.5);
      const j = Math.floor(v - 0.5);
      const du = u - 0.5 - i;
      const dv = v - 0.5 - j;
      const left = Math.max(i, 0) * channels;
      const right = Math.min(i + 1, columns - 1) * channels;
      const above = Math.max(j, 0) * stride;
      const below = Math.min(j + 1, rows - 1) * stride;
      for (let c = 0; c < 3; c++) {
        const a = bytes[above + left + c] as number;
        const b = bytes[below + left + c] as number;
        const upper = a + du * ((bytes[above + right + c] as number) - a);
        const lower = b + du * ((bytes[below + right + c] as number) - b);
        result[target + c] = upper + dv * (lower - upper);
      }
    }
  }
}

/** The whole pixels, first and end, that coordinates of corners reach to, with two more on each side, in a line of
 * `size` pixels. */
function reach(corners: readonly number[], size: number): readonly [number, number] {
  const low = Math.floor(Math.min(...corners)) - 2;
  const high = Math.ceil(Math.max(...corners)) + 2;
  return [Math.min(size, Math.max(0, low)), Math.min(size, Math.max(0, high))];
}
