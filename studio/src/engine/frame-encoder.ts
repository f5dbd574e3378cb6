/** Frames as JPEG files. The page's thread only takes hold of the picture; a worker scales and encodes it. */

import type { EncodeAnswer, EncodeRequest } from "./encoder-worker.ts";
import { grab } from "./grab.ts";

/** The worker has failed. The message is a sentence for the reader. */
export class EncoderError extends Error {
  override readonly name = "EncoderError";
}

interface Waiting {
  resolve(jpeg: ArrayBuffer | undefined): void;
  reject(error: EncoderError): void;
}

export class FrameEncoder {
  /** undefined from a failure to the next frame. */
  #worker: Worker | undefined = this.#start();
  #waiting: Waiting | undefined;

  /** The JPEG file of what the source shows now, in this size; undefined where it shows nothing. One at a time. Rejects
   * with EncoderError; the next frame has another worker. */
  async encode(
    source: CanvasImageSource,
    width: number,
    height: number,
    quality: number,
  ): Promise<ArrayBuffer | undefined> {
    const frame = await grab(source).catch(() => undefined);
    if (!frame) return undefined;
    this.#worker ??= this.#start();
    const request: EncodeRequest = { frame, width, height, quality };
    this.#worker.postMessage(request, [frame]);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./encoder-worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<EncodeAnswer>) => this.#waiting?.resolve(data.jpeg);
    worker.onerror = ({ message }) => {
      worker.terminate();
      this.#worker = undefined;
      const reason = message ? ` (${message})` : "";
      this.#waiting?.reject(new EncoderError(`The browser could not make a JPEG file of a picture${reason}.`));
    };
    return worker;
  }
}
