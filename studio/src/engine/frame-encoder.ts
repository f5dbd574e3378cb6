/** Frames as JPEG files. The page's thread only takes hold of the picture; a worker scales and encodes it. */

import type { EncodeAnswer, EncodeRequest } from "./encoder-worker.ts";
import { grab } from "./grab.ts";

export class FrameEncoder {
  readonly #worker = new Worker(new URL("./encoder-worker.ts", import.meta.url), { type: "module" });
  #resolve: ((jpeg: ArrayBuffer | undefined) => void) | undefined;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<EncodeAnswer>) => this.#done(data.jpeg);
    this.#worker.onerror = () => this.#done(undefined);
  }

  /** The JPEG file of what the source shows now, in this size; undefined where it shows nothing. One at a time. */
  async encode(
    source: CanvasImageSource,
    width: number,
    height: number,
    quality: number,
  ): Promise<ArrayBuffer | undefined> {
    const frame = await grab(source).catch(() => undefined);
    if (!frame) return undefined;
    return new Promise((resolve) => {
      this.#resolve = resolve;
      const request: EncodeRequest = { frame, width, height, quality };
      this.#worker.postMessage(request, [frame]);
    });
  }

  close(): void {
    this.#worker.terminate();
    this.#done(undefined);
  }

  #done(jpeg: ArrayBuffer | undefined): void {
    this.#resolve?.(jpeg);
    this.#resolve = undefined;
  }
}
