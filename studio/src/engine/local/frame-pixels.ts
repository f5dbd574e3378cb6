/** Reads the pixels of frames. */

import { LocalError } from "./failure.ts";
import { PAD_GREY, type Picture } from "./vision/pictures.ts";

/** Pixels of a frame's longer side that are looked at, at most: a face of a tenth of it still fills its crop. */
const FRAME_SIDE = 1280;

/** Reads frames one after another, with one canvas for all of a size. */
export class FramePixels {
  #canvas = new OffscreenCanvas(1, 1);

  /** The pixels of a frame of width x height pixels, whose picture it closes. Transparent parts become the grey that
   * surrounds pictures in the networks' inputs. Throws LocalError. */
  read(picture: VideoFrame | ImageBitmap, width: number, height: number): Picture {
    const scale = Math.min(1, FRAME_SIDE / Math.max(width, height));
    const columns = Math.max(1, Math.round(width * scale));
    const rows = Math.max(1, Math.round(height * scale));
    if (this.#canvas.width !== columns || this.#canvas.height !== rows)
      this.#canvas = new OffscreenCanvas(columns, rows);
    // A canvas in main memory, since the pixels are read.
    const context = this.#canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    if (!context) throw new LocalError("internal", "The browser gives local mode no canvas to read pictures from.");
    context.imageSmoothingQuality = "medium"; // a large frame is shrunk without aliasing
    context.fillStyle = `rgb(${PAD_GREY} ${PAD_GREY} ${PAD_GREY})`;
    context.fillRect(0, 0, columns, rows);
    context.drawImage(picture, 0, 0, columns, rows);
    picture.close();
    return { pixels: context.getImageData(0, 0, columns, rows).data, columns, rows, width, height };
  }
}
