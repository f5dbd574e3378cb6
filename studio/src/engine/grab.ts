/** Holds the picture that a source shows now, to be sent to a worker, which closes it. Rejects where it shows nothing.
 *
 * A VideoFrame is not copied, and stays in main memory where the camera put it: an ImageBitmap lies on the graphics card,
 * and whoever reads its pixels waits for what is drawn there. */
export async function grab(source: CanvasImageSource): Promise<VideoFrame | ImageBitmap> {
  if (typeof VideoFrame === "function" && source instanceof HTMLVideoElement) return new VideoFrame(source);
  return createImageBitmap(source as ImageBitmapSource);
}
