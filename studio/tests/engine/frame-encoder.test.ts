import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EncoderError, FrameEncoder } from "../../src/engine/frame-encoder.ts";
import { FakeWorker, fakeEncoder, settled } from "./fake-encoder.ts";

const SOURCE = {} as HTMLImageElement;
const JPEG = new ArrayBuffer(3);

beforeEach(fakeEncoder);
afterEach(() => vi.unstubAllGlobals());

test("a worker makes the file, in the size and quality asked for", async () => {
  const encoding = new FrameEncoder().encode(SOURCE, 640, 480, 0.85);
  await settled();
  expect(FakeWorker.latest.requests).toMatchObject([{ width: 640, height: 480, quality: 0.85 }]);
  FakeWorker.latest.onmessage?.({ data: { jpeg: JPEG } });
  expect(await encoding).toBe(JPEG);
});

test("a source that shows nothing has none", async () => {
  vi.stubGlobal("createImageBitmap", () => Promise.reject(new DOMException("", "InvalidStateError")));
  expect(await new FrameEncoder().encode(SOURCE, 640, 480, 0.85)).toBeUndefined();
  expect(FakeWorker.latest.requests).toEqual([]);
});

test("a worker that fails is told, and the next frame has another", async () => {
  const encoder = new FrameEncoder();
  const failing = encoder.encode(SOURCE, 640, 480, 0.85);
  await settled();
  FakeWorker.latest.onerror?.({ message: "out of memory" });
  await expect(failing).rejects.toThrow(EncoderError);
  await expect(failing).rejects.toThrow("(out of memory)");
  expect(FakeWorker.latest.terminated).toBe(true);
  FakeWorker.jpeg = JPEG;
  expect(await encoder.encode(SOURCE, 640, 480, 0.85)).toBe(JPEG);
  expect(FakeWorker.all).toHaveLength(2);
});

test("so has the first where the worker could not be loaded", async () => {
  const encoder = new FrameEncoder();
  FakeWorker.latest.onerror?.({ message: "" });
  FakeWorker.jpeg = JPEG;
  expect(await encoder.encode(SOURCE, 640, 480, 0.85)).toBe(JPEG);
});
