import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openFilm, openVideoFile } from "../../src/sources/video-file.ts";
import { FakeVideo, fakeBrowser, settled } from "./fake-browser.ts";

const FILE = new File([], "dance.mp4", { type: "video/mp4" });

let press: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  ({ press } = fakeBrowser());
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a video plays at once, within the press that has chosen it, and is there with its first picture", async () => {
  const opening = openVideoFile(FILE);
  const { latest: video } = FakeVideo;
  expect(video).toMatchObject({ playing: true, muted: true, playsInline: true, loop: true });
  video.onloadeddata?.();
  const source = await opening;
  expect([source.kind, source.title, source.size]).toEqual(["video", "dance.mp4", { width: 640, height: 480 }]);
  const times: number[] = [];
  source.onframe = (capturedAt) => times.push(capturedAt);
  video.show(17);
  expect(times).toEqual([17]);
});

test("where the browser waits for a press, the video plays after it", async () => {
  FakeVideo.mayPlay = false;
  const opening = openFilm("film.webm");
  FakeVideo.latest.onloadeddata?.();
  await opening;
  expect(FakeVideo.latest.playing).toBe(false);
  press();
  expect(FakeVideo.latest.playing).toBe(true);
});

test("a video of which nothing comes for ten seconds is given up, with what to do", async () => {
  const failing = expect(openVideoFile(FILE)).rejects.toMatchObject({
    title: "The video does not begin",
    message: expect.stringMatching(/^Nothing of dance\.mp4 has come for 10 s\..*again\.$/),
  });
  await vi.advanceTimersByTimeAsync(9000);
  FakeVideo.latest.onprogress?.(); // a slow network
  await vi.advanceTimersByTimeAsync(9999);
  expect(FakeVideo.latest.src).not.toBe("");
  await vi.advanceTimersByTimeAsync(1);
  await failing;
  expect(FakeVideo.latest.src).toBe("");
});

test.each([
  [2, "The video did not arrive"],
  [3, "This browser cannot play the video"],
  [4, "This browser cannot play the video"],
])("a media error %i is told as: %s", async (code, title) => {
  const opening = openVideoFile(FILE);
  FakeVideo.latest.fail(code);
  await expect(opening).rejects.toMatchObject({ title });
});

test("a file that has sound only is told", async () => {
  const opening = openVideoFile(FILE);
  FakeVideo.latest.videoWidth = 0;
  FakeVideo.latest.onloadeddata?.();
  await expect(opening).rejects.toMatchObject({ title: "No pictures in this file" });
});

test("a video that cannot be read on is lost", async () => {
  const opening = openVideoFile(FILE);
  FakeVideo.latest.onloadeddata?.();
  const source = await opening;
  FakeVideo.latest.fail(3);
  await settled();
  expect(source.lost.value?.title).toBe("This browser cannot play the video");
});
