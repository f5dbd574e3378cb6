/** The way of a drawing to the page where the processor draws. */

/** Takes what WebGL draws to a canvas on the page, without waiting for it.
 *
 * Where the processor puts the page together, too, the browser reads the pixels of a WebGL canvas back itself, and the
 * page's thread stands still until they are drawn: for tens of milliseconds, in which no answer is taken and no frame
 * sent. So WebGL draws on a canvas that is not on the page, and its pixels are read when they are there. Reading them
 * into a pixel buffer would not wait either, but takes the processor three times as long. */
export class Readback {
  private readonly gl: WebGL2RenderingContext;
  private readonly shown: CanvasRenderingContext2D;
  private image: ImageData | undefined;
  private pixels = new Uint8Array();

  /** gl: opaque, of a canvas that keeps its drawing. shown: of the canvas on the page; it takes on the drawing's size. */
  constructor(gl: WebGL2RenderingContext, shown: CanvasRenderingContext2D) {
    this.gl = gl;
    this.shown = shown;
  }

  /** Shows what is drawn. Call when the commands are carried out: earlier, it waits. */
  show(): void {
    const { gl, shown } = this;
    const { drawingBufferWidth: width, drawingBufferHeight: height } = gl;
    if (this.image?.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
      this.pixels = new Uint8Array(this.image.data.length);
    }
    const { image, pixels } = this;
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    const row = 4 * image.width;
    // WebGL's first row is the lowest one.
    for (let from = 0, to = pixels.length - row; to >= 0; from += row, to -= row) {
      image.data.set(pixels.subarray(from, from + row), to);
    }
    const { canvas } = shown;
    if (canvas.width !== image.width || canvas.height !== image.height) {
      canvas.width = image.width;
      canvas.height = image.height;
    }
    shown.putImageData(image, 0, 0);
  }
}
