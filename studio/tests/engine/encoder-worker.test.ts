import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { EncodeAnswer, EncodeRequest } from "../../src/engine/encoder-worker.ts";

const worker = {
  onmessage: undefined as ((event: { data: EncodeRequest }) => Promise<void>) | undefined,
  answers: [] as EncodeAnswer[],
  postMessage(answer: EncodeAnswer) {
    this.answers.push(answer);
  },
};
const draw = vi.fn();

class FakeCanvas {
  width = 1;
  height = 1;
  getContext() {
    return { drawImage: draw };
  }
  /** A file that tells the canvas's size. */
  async convertToBlob() {
    return new Blob([`${this.width} x ${this.height}`]);
  }
}

beforeAll(async () => {
  vi.stubGlobal("self", worker);
  vi.stubGlobal("OffscreenCanvas", FakeCanvas);
  await import("../../src/engine/encoder-worker.ts");
});
afterAll(() => vi.unstubAllGlobals());

async function encode() {
  const close = vi.fn();
  const frame = { close } as unknown as ImageBitmap;
  await worker.onmessage?.({ data: { frame, width: 64, height: 48, quality: 0.85 } });
  return { jpeg: worker.answers.at(-1)?.jpeg, close };
}

test("a picture is drawn in the size asked for, and let go of", async () => {
  const { jpeg, close } = await encode();
  expect(new TextDecoder().decode(jpeg)).toBe("64 x 48");
  expect(draw).toHaveBeenCalledWith(expect.anything(), 0, 0, 64, 48);
  expect(close).toHaveBeenCalledOnce();
});

test("one that cannot be drawn is let go of, too, and the next one is encoded", async () => {
  draw.mockImplementationOnce(() => {
    throw new DOMException("detached", "InvalidStateError");
  });
  const { jpeg, close } = await encode();
  expect(jpeg).toBeUndefined();
  expect(close).toHaveBeenCalledOnce();
  expect((await encode()).jpeg).toBeDefined();
});
