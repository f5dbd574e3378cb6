import { afterEach, expect, test, vi } from "vitest";
import { Readback } from "../../src/stage/readback.ts";

class FakeImageData {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.data = new Uint8ClampedArray(4 * width * height);
  }
}

afterEach(() => vi.unstubAllGlobals());

/** A drawing whose rows hold their number, counted from below as WebGL does. */
function drawing(width: number, height: number) {
  return {
    drawingBufferWidth: width,
    drawingBufferHeight: height,
    readPixels(_x: number, _y: number, w: number, h: number, _format: number, _type: number, pixels: Uint8Array) {
      for (let row = 0; row < h; row++) pixels.fill(row, 4 * w * row, 4 * w * (row + 1));
    },
  };
}

test("the lowest row of a drawing is the last of the picture, whatever size it has", () => {
  vi.stubGlobal("ImageData", FakeImageData);
  let rows: number[] = [];
  const shown = {
    canvas: { width: 300, height: 150 },
    putImageData({ data, width }: ImageData) {
      rows = Array.from(data).filter((_, i) => i % (4 * width) === 0);
    },
  };
  const gl = drawing(2, 3);
  const readback = new Readback(gl as unknown as WebGL2RenderingContext, shown as unknown as CanvasRenderingContext2D);

  readback.show();
  expect(shown.canvas).toEqual({ width: 2, height: 3 });
  expect(rows).toEqual([2, 1, 0]);

  gl.drawingBufferHeight = 5;
  readback.show();
  expect(shown.canvas).toEqual({ width: 2, height: 5 });
  expect(rows).toEqual([4, 3, 2, 1, 0]);
});
