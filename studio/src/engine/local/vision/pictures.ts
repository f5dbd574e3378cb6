/** Pixels, and how they become fewer, as Pillow does it for the service. Coordinates are continuous: (0, 0) is the top
 * left corner, the centre of pixel (i, j) is (i + 0.5, j + 0.5). */

/** A frame. pixels: RGBA, row by row, columns x rows of them. width, height: of the frame as it was captured, perhaps
 * larger; all coordinates are in these pixels. */
export interface Picture {
  pixels: Uint8Array | Uint8ClampedArray;
  columns: number;
  rows: number;
  width: number;
  height: number;
}

/** Columns and rows of one frame: left <= x < right, top <= y < bottom. */
export interface Region {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Bytes of columns x rows pixels, row by row, `channels` a pixel. */
export interface Raster {
  bytes: Uint8Array;
  columns: number;
  rows: number;
  channels: number;
}

/** The grey level around a picture in the networks' inputs, in training, too. */
export const PAD_GREY = 114;

const RGBA = 4;

/** The mean RGB of each block of across x down pixels in a region; the last blocks may be smaller. */
export function reduce(picture: Picture, region: Region, across: number, down: number): Raster {
  const { left, top, right, bottom } = region;
  const { pixels } = picture;
  const columns = Math.ceil((right - left) / across);
  const rows = Math.ceil((bottom - top) / down);
  const bytes = new Uint8Array(columns * rows * 3);
  let target = 0;
  for (let row = 0; row < rows; row++) {
    const y1 = top + row * down;
    const y2 = Math.min(bottom, y1 + down);
    for (let column = 0; column < columns; column++) {
      const x1 = left + column * across;
      const x2 = Math.min(right, x1 + across);
      const count = (x2 - x1) * (y2 - y1);
      let red = count >> 1;
      let green = red;
      let blue = red;
      for (let y = y1; y < y2; y++) {
        const end = (y * picture.columns + x2) * RGBA;
        for (let i = end - (x2 - x1) * RGBA; i < end; i += RGBA) {
          red += pixels[i] as number;
          green += pixels[i + 1] as number;
          blue += pixels[i + 2] as number;
        }
      }
      bytes[target++] = red / count;
      bytes[target++] = green / count;
      bytes[target++] = blue / count;
    }
  }
  return { bytes, columns, rows, channels: 3 };
}

/** A filter by which pixels are weighted, over -support to support pixels where nothing shrinks. */
interface Filter {
  support: number;
  weight(distance: number): number;
}

export const BILINEAR: Filter = { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };
export const BOX: Filter = { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };

/** How the pixels of a line are made of those of a longer or shorter one: pixel i is the sum of the source's from
 * first[i], each times its weight, weights[i * width] to weights[i * width + width - 1]. */
interface Taps {
  first: Int32Array;
  weights: Float64Array;
  width: number;
}

/** The taps from `size` pixels, of which `extent` count, to `target`. The filter widens where that shrinks. */
function taps(filter: Filter, extent: number, size: number, target: number): Taps {
  const scale = extent / target;
  const stretch = Math.max(scale, 1);
  const reach = filter.support * stretch;
  const width = Math.min(size, Math.ceil(2 * reach) + 1);
  const first = new Int32Array(target);
  const weights = new Float64Array(target * width);
  for (let i = 0; i < target; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(size, Math.trunc(centre + reach + 0.5));
    let sum = 0;
    for (let k = start; k < end; k++) {
      const weight = filter.weight((k - centre + 0.5) / stretch);
      weights[i * width + k - start] = weight;
      sum += weight;
    }
    for (let k = i * width; k < (i + 1) * width; k++) weights[k] = (weights[k] as number) / sum;
    first[i] = Math.min(start, size - width); // so that no tap reads past the end: those that moved weigh nothing
    const moved = start - (first[i] as number);
    if (moved > 0) {
      weights.copyWithin(i * width + moved, i * width, (i + 1) * width - moved);
      weights.fill(0, i * width, i * width + moved);
    }
  }
  return { first, weights, width };
}

/** A raster resized to columns x rows. extent: how much of it counts, where its last column or row is a part of one. */
export function resize(
  source: Raster,
  columns: number,
  rows: number,
  filter: Filter,
  extent: { columns: number; rows: number } = source,
): Raster {
  const { channels } = source;
  const across = taps(filter, extent.columns, source.columns, columns);
  const down = taps(filter, extent.rows, source.rows, rows);
  const narrow = new Uint8Array(columns * source.rows * channels);
  for (let y = 0; y < source.rows; y++) {
    for (let x = 0; x < columns; x++) {
      const start = (y * source.columns + (across.first[x] as number)) * channels;
      const to = (y * columns + x) * channels;
      weighted(source.bytes, start, channels, across, x, narrow, to, channels);
    }
  }
  const bytes = new Uint8Array(columns * rows * channels);
  const stride = columns * channels;
  for (let y = 0; y < rows; y++) {
    weighted(narrow, (down.first[y] as number) * stride, stride, down, y, bytes, y * stride, stride);
  }
  return { bytes, columns, rows, channels };
}

/** Writes `count` bytes, each the weighted sum of the source's bytes that lie `step` apart, by the taps of one pixel. */
function weighted(
  source: Uint8Array,
  start: number,
  step: number,
  taps: Taps,
  pixel: number,
  target: Uint8Array,
  to: number,
  count: number,
): void {
  const { weights, width } = taps;
  for (let c = 0; c < count; c++) {
    let sum = 0.5;
    for (let k = 0, i = start + c; k < width; k++, i += step) {
      sum += (weights[pixel * width + k] as number) * (source[i] as number);
    }
    target[to + c] = Math.min(sum, 255); // what an array of bytes takes is cut to whole numbers
  }
}
