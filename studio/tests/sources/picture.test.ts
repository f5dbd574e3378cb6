import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openPicture, type PictureSource } from "../../src/sources/picture.ts";
import { fakeBrowser } from "./fake-browser.ts";

const FILE = new File([], "face.png", { type: "image/png" });

class FakeImage {
  static readable = true;
  naturalWidth = 300;
  naturalHeight = 200;
  src = "";

  async decode(): Promise<void> {
    if (!FakeImage.readable) throw new DOMException("", "EncodingError");
  }
}

let source: PictureSource;
let frames: number;

beforeEach(async () => {
  vi.useFakeTimers();
  fakeBrowser();
  FakeImage.readable = true;
  vi.stubGlobal("Image", FakeImage);
  source = await openPicture(FILE);
  frames = 0;
  source.onframe = () => frames++;
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** The frames of this many milliseconds. */
function given(milliseconds: number): number {
  const before = frames;
  vi.advanceTimersByTime(milliseconds);
  return frames - before;
}

test("it is looked at for a while, and then no longer", () => {
  const times: number[] = [];
  source.onframe = (capturedAt) => times.push(capturedAt);
  vi.advanceTimersByTime(5000);
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  expect(last - first).toBeGreaterThan(2000); // which takes whoever was in the source before to leave
  const look = times.length;
  vi.advanceTimersByTime(3_600_000);
  expect(times).toHaveLength(look);
});

test("it is looked at again where the options have changed", () => {
  vi.advanceTimersByTime(5000);
  const look = frames;
  source.refresh();
  vi.advanceTimersByTime(5000);
  expect(frames).toBe(2 * look);
});

test("a look goes on after a pause; one that was done is not done again", () => {
  vi.advanceTimersByTime(450);
  source.setActive(false);
  expect(given(5000)).toBe(0);
  const begun = frames;
  source.setActive(true);
  vi.advanceTimersByTime(5000);
  expect(frames).toBeGreaterThan(begun);
  source.setActive(false);
  const whole = frames;
  source.setActive(true);
  expect([given(5000), frames]).toEqual([0, whole]);
});

test("a file that is no picture is told", async () => {
  FakeImage.readable = false;
  await expect(openPicture(FILE)).rejects.toMatchObject({ title: "This browser cannot show the picture" });
});
