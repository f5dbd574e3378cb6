/** Reads the pixels of frames. */

import { LocalError } from "./failure.ts";
import { PAD_GREY, type Picture } from "./vision/pictures.ts";

/** Reads frames one after another, with one canvas for all of a size. */
export class FramePixels {
  #canvas = new OffscreenCanvas(1, 1);

  /** The pixels of a bitmap of a frame of width x height pixels, and closes it. Transparent parts become the grey that
   * surrounds pictures in the networks' inputs. Throws LocalError. */
  read(bitmap: ImageBitmap, width: number, height: number): Picture {
    const { width: columns, height: rows } = bitmap;
    if (this.#canvas.width !== columns || this.#canvas.height !== rows)
      this.#canvas = new OffscreenCanvas(columns, rows);
    const context = this.#canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    if (!context) throw new LocalError("internal", "The browser gives local mode no canvas to read pictures from.");
    context.fillStyle = `rgb(${PAD_GREY} ${PAD_GREY} ${PAD_GREY})`;
    context.fillRect(0, 0, columns, rows);
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return { pixels: context.getImageData(0, 0, columns, rows).data, columns, rows, width, height };
  }
}
