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

/** Bytes of a pixel in a Picture. */
export const RGBA = 4;

/** Of these the one that is closest to luminance, which saves a conversion. */
export const GREEN = 1;

const DIVISION = 2 ** 24; // a share of a mean is a whole multiple of its inverse, as in Pillow
const UNIT_BITS = 22; // a weight of a filter is a whole multiple of 1 / 2^22, as in Pillow
const UNIT = 2 ** UNIT_BITS;
const HALF = UNIT / 2;

/** The mean RGB of each block of across x down pixels in a region; the last blocks may be smaller. */
export function reduce(picture: Picture, region: Region, across: number, down: number): Raster {
  const { left, top, right, bottom } = region;
  const { pixels } = picture;
  const columns = Math.ceil((right - left) / across);
  const rows = Math.ceil((bottom - top) / down);
  const bytes = new Uint8Array(columns * rows * 3);
  const stride = picture.columns * RGBA;
  let target = 0;
  for (let row = 0; row < rows; row++) {
    const y1 = top + row * down;
    const height = Math.min(down, bottom - y1);
    for (let column = 0; column < columns; column++) {
      const x1 = left + column * across;
      const width = Math.min(across, right - x1);
      const count = width * height;
      let red = count >> 1;
      let green = red;
      let blue = red;
      let start = y1 * stride + x1 * RGBA;
      for (let y = 0; y < height; y++, start += stride) {
        const end = start + width * RGBA;
        for (let i = start; i < end; i += RGBA) {
          red += pixels[i] as number;
          green += pixels[i + 1] as number;
          blue += pixels[i + 2] as number;
        }
      }
      const share = Math.floor(Math.fround(DIVISION / count)); // as Pillow divides, to the last bit
      bytes[target++] = (red * share) / DIVISION;
      bytes[target++] = (green * share) / DIVISION;
      bytes[target++] = (blue * share) / DIVISION;
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
 * first[i], each times its weight, weights[i * width] to weights[i * width + width - 1], in units of 1 / 2^22. */
interface Taps {
  first: Int32Array;
  weights: Int32Array;
  width: number;
}

/** The taps from `size` pixels, of which `extent` count, to `target`. The filter widens where that shrinks. */
function taps(filter: Filter, extent: number, size: number, target: number): Taps {
  const scale = extent / target;
  const stretch = Math.max(scale, 1);
  const reach = filter.support * stretch;
  const width = Math.min(size, Math.floor(2 * reach) + 1);
  const first = new Int32Array(target);
  const weights = new Int32Array(target * width);
  for (let i = 0; i < target; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(size, Math.trunc(centre + reach + 0.5));
    const parts = Array.from({ length: end - start }, (_, k) => filter.weight((start + k - centre + 0.5) / stretch));
    const sum = parts.reduce((total, part) => total + part, 0);
    first[i] = Math.min(start, size - width); // so that no tap reads past the end
    const moved = i * width + start - (first[i] as number);
    for (const [k, part] of parts.entries()) weights[moved + k] = Math.round((part / sum) * UNIT);
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
  const narrow = resizeAcross(source, taps(filter, extent.columns, source.columns, columns), columns);
  const down = taps(filter, extent.rows, source.rows, rows);
  const bytes = new Uint8Array(columns * rows * channels);
  const stride = columns * channels;
  for (let y = 0; y < rows; y++) {
    const start = (down.first[y] as number) * stride;
    for (let x = 0; x < stride; x++) {
      let sum = HALF;
      for (let k = 0, i = start + x; k < down.width; k++, i += stride) {
        sum += (down.weights[y * down.width + k] as number) * (narrow[i] as number);
      }
      bytes[y * stride + x] = Math.min(sum >> UNIT_BITS, 255);
    }
  }
  return { bytes, columns, rows, channels };
}

/** The bytes of a raster's rows, each resized to `columns` pixels. */
function resizeAcross({ bytes, columns: from, rows, channels }: Raster, across: Taps, columns: number): Uint8Array {
  const { first, weights, width } = across;
  const narrow = new Uint8Array(columns * rows * channels);
  let target = 0;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const start = (y * from + (first[x] as number)) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = HALF;
        for (let k = 0, i = start + c; k < width; k++, i += channels) {
          sum += (weights[x * width + k] as number) * (bytes[i] as number);
        }
        narrow[target++] = Math.min(sum >> UNIT_BITS, 255);
      }
    }
  }
  return narrow;
}
