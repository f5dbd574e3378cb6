/** A picture of any shape in the middle of the network's square, and the way back, as in service/vision/letterbox.py. */

import { BILINEAR, PAD_GREY, type Picture, reduce, resize } from "./pictures.ts";

export type Point = readonly [x: number, y: number];

/** Where a picture of width x height pixels lies in a square of side pixels. contentWidth, contentHeight: pixels it
 * takes there; offsetX, offsetY: of its top left corner there. scale: the square's pixels per pixel of the picture along
 * its longer side. */
export interface Letterbox {
  width: number;
  height: number;
  side: number;
  contentWidth: number;
  contentHeight: number;
  offsetX: number;
  offsetY: number;
  scale: number;
}

/** The letterbox that fits a picture of width x height pixels into the middle of a square of side pixels. */
export function fitLetterbox(width: number, height: number, side: number): Letterbox {
  const scale = side / Math.max(width, height);
  const contentWidth = Math.max(1, roundHalfEven(width * scale));
  const contentHeight = Math.max(1, roundHalfEven(height * scale));
  const offsetX = Math.floor((side - contentWidth) / 2);
  const offsetY = Math.floor((side - contentHeight) / 2);
  return { width, height, side, contentWidth, contentHeight, offsetX, offsetY, scale };
}

/** Pixels of the picture of a point in the square. */
export function toPicture(box: Letterbox, [x, y]: Point): Point {
  return [(x - box.offsetX) * (box.width / box.contentWidth), (y - box.offsetY) * (box.height / box.contentHeight)];
}

/** The point in the square of pixels of the picture. */
export function toSquare(box: Letterbox, [x, y]: Point): Point {
  return [x * (box.contentWidth / box.width) + box.offsetX, y * (box.contentHeight / box.height) + box.offsetY];
}

/** The network's input, RGB (side, side, 3): the square around the picture. Whole factors are averaged away first, the
 * rest is bilinear. */
export function letterboxed(box: Letterbox, picture: Picture): Uint8Array {
  const { contentWidth, contentHeight, side } = box;
  const { columns, rows } = picture;
  const across = Math.max(1, Math.floor(columns / contentWidth));
  const down = Math.max(1, Math.floor(rows / contentHeight));
  const small = reduce(picture, { left: 0, top: 0, right: columns, bottom: rows }, across, down);
  const extent = { columns: columns / across, rows: rows / down };
  const content = resize(small, contentWidth, contentHeight, BILINEAR, extent);
  const square = new Uint8Array(side * side * 3).fill(PAD_GREY);
  const stride = contentWidth * 3;
  for (let y = 0; y < contentHeight; y++) {
    const row = content.bytes.subarray(y * stride, (y + 1) * stride);
    square.set(row, ((y + box.offsetY) * side + box.offsetX) * 3);
  }
  return square;
}

/** The nearest whole number, of two the even one, as Python rounds. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}
