/** Scales pictures and makes them JPEG files, off the page's thread. */

/** A picture to be encoded. The worker closes it. */
export interface EncodeRequest {
  frame: VideoFrame | ImageBitmap;
  width: number;
  height: number;
  quality: number;
}

/** The JPEG file; undefined where the picture could not be encoded. */
export interface EncodeAnswer {
  jpeg: ArrayBuffer | undefined;
}

const port = self as unknown as Pick<Worker, "onmessage" | "postMessage">;
const canvas = new OffscreenCanvas(1, 1);
// The pixels go to the encoder, not to the display: a canvas in main memory spares the way over the graphics card.
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
if (!context) throw new Error("it gives no canvas to draw on");

port.onmessage = async ({ data }: MessageEvent<EncodeRequest>) => {
  const jpeg = await encode(data).catch(() => undefined);
  port.postMessage({ jpeg } satisfies EncodeAnswer, jpeg ? [jpeg] : []);
};

async function encode({ frame, width, height, quality }: EncodeRequest): Promise<ArrayBuffer> {
  try {
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context?.drawImage(frame, 0, 0, width, height);
  } finally {
    frame.close(); // also where it could not be drawn: cameras have few
  }
  return (await canvas.convertToBlob({ type: "image/jpeg", quality })).arrayBuffer();
}
