/** Whether a new face may have come into the picture, far cheaper than a network, as in service/tracking/scene_change.py:
 * the picture is averaged to a thumbnail of grey cells; what has changed in it since the last detection, apart from known
 * faces and the bodies below them, may be a new face. */

import { median } from "../../../median.ts";
import type { Box } from "../vision/boxes.ts";
import { roundHalfEven } from "../vision/letterbox.ts";
import { BOX, GREEN, type Picture, RGBA, resize } from "../vision/pictures.ts";

const THUMBNAIL_SIDE = 32; // cells along the picture's longer side
const CELL_SAMPLES = 6; // pixels of a cell along each axis that are averaged
const MIN_CHANGE = 10; // grey levels of 255; a camera's noise moves a cell by about 1

// What moves with a face, in sizes of its box to each side: hair and hands around it, and the body below.
const FACE_MARGIN = 0.5;
const BODY_MARGIN = 1;

/** A picture of width x height pixels as grey cells, columns x rows of them, 0 to 255. */
export interface SceneThumbnail {
  cells: Uint8Array;
  columns: number;
  rows: number;
  width: number;
  height: number;
}

/** The thumbnail of a picture. */
export function thumbnailOf(picture: Picture): SceneThumbnail {
  const { pixels, width, height } = picture;
  const cell = Math.max(picture.columns, picture.rows) / THUMBNAIL_SIDE;
  const step = Math.max(1, Math.floor(cell / CELL_SAMPLES));
  const columns = Math.max(1, roundHalfEven(picture.columns / cell));
  const rows = Math.max(1, roundHalfEven(picture.rows / cell));
  const samples = { columns: Math.ceil(picture.columns / step), rows: Math.ceil(picture.rows / step), channels: 1 };
  const bytes = new Uint8Array(samples.columns * samples.rows);
  let target = 0;
  for (let y = 0; y < picture.rows; y += step) {
    for (let x = 0; x < picture.columns; x += step) {
      bytes[target++] = pixels[(y * picture.columns + x) * RGBA + GREEN] as number;
    }
  }
  const { bytes: cells } = resize({ bytes, ...samples }, columns, rows, BOX);
  return { cells, columns, rows, width, height };
}

/** Whether a cell differs that no known face and no body below one covers. boxes: of the faces, pixels. The same change
 * in all cells is one of light or exposure and is ignored. */
export function differs(now: SceneThumbnail, before: SceneThumbnail, boxes: readonly Box[]): boolean {
  if (now.columns !== before.columns || now.rows !== before.rows) return true;
  const covered = coveredCells(now, boxes);
  const changes: number[] = [];
  for (const [i, value] of now.cells.entries()) {
    if (!covered[i]) changes.push(value - (before.cells[i] as number));
  }
  if (changes.length === 0) return false;
  const usual = median(changes);
  return changes.some((change) => Math.abs(change - usual) > MIN_CHANGE);
}

/** 1 for each cell that a face, its surroundings or the body below it touch. */
function coveredCells({ columns, rows, width, height }: SceneThumbnail, boxes: readonly Box[]): Uint8Array {
  const covered = new Uint8Array(columns * rows);
  const cover = (x1: number, y1: number, x2: number, y2: number) => {
    const left = Math.max(0, Math.floor((x1 * columns) / width));
    const right = Math.min(columns, Math.ceil((x2 * columns) / width));
    const top = Math.max(0, Math.floor((y1 * rows) / height));
    const bottom = Math.min(rows, Math.ceil((y2 * rows) / height));
    for (let y = top; y < bottom; y++) if (left < right) covered.fill(1, y * columns + left, y * columns + right);
  };
  for (const [x1, y1, x2, y2] of boxes) {
    const [w, h] = [x2 - x1, y2 - y1];
    cover(x1 - FACE_MARGIN * w, y1 - FACE_MARGIN * h, x2 + FACE_MARGIN * w, y2 + FACE_MARGIN * h);
    cover(x1 - BODY_MARGIN * w, y1 + BODY_MARGIN * h, x2 + BODY_MARGIN * w, height);
  }
  return covered;
}
