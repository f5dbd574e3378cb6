import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SourceError } from "../../src/sources/source.ts";
import { Sources } from "../../src/sources/sources.ts";
import { type FakeCameras, FakeVideo, fakeBrowser, settled } from "./fake-browser.ts";

const CHOICE = { device: "", name: "", lines: 480, obs: false };

let cameras: FakeCameras;
let sources: Sources;
/** What the reader is told now; "" where all is well. */
let told: string;

beforeEach(() => {
  vi.useFakeTimers();
  ({ cameras } = fakeBrowser());
  told = "";
  sources = new Sources({
    problem: (error: SourceError | undefined) => {
      told = error?.title ?? "";
    },
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const kind = () => sources.current.value?.kind;

async function film(): Promise<boolean> {
  const opened = sources.film();
  FakeVideo.latest.onloadeddata?.();
  return opened;
}

test("a camera becomes the source in place of the film, whose video is let go of", async () => {
  expect(await film()).toBe(true);
  expect(kind()).toBe("film");
  const { latest } = FakeVideo;
  expect(await sources.camera(CHOICE)).toBe(true);
  expect([kind(), latest.playing, latest.src]).toEqual(["camera", false, ""]);
  expect([told, sources.opening.value]).toEqual(["", false]);
});

test("where a camera cannot be opened, the source before stays, and the reader is told why", async () => {
  await film();
  cameras.refuses = "NotAllowedError";
  expect(await sources.camera(CHOICE)).toBe(false);
  expect([kind(), told]).toEqual(["film", "The camera is not allowed"]);
});

test("of two that are asked for, the latter becomes the source", async () => {
  const first = sources.camera({ ...CHOICE, device: "front" });
  cameras.devices = ["front", "back"];
  const second = sources.camera({ ...CHOICE, device: "back" });
  expect(await Promise.all([first, second])).toEqual([false, true]);
  expect(cameras.opened.map(({ device, readyState }) => [device, readyState])).toEqual([
    ["front", "ended"],
    ["back", "live"],
  ]);
});

test("a camera that is unplugged is told, and opened again when it is back", async () => {
  await sources.camera(CHOICE);
  cameras.devices = [];
  cameras.latest.unplug();
  expect([kind(), told]).toEqual([undefined, "The camera is gone"]);
  cameras.plug("another");
  await settled();
  expect(kind()).toBeUndefined();
  cameras.plug("another", "front");
  await settled();
  expect([kind(), cameras.latest.device, told]).toEqual(["camera", "front", ""]);
});

test("one that is unplugged while it is opened is told, too", async () => {
  const opening = sources.camera(CHOICE);
  await Promise.resolve();
  cameras.latest.stop();
  await opening;
  expect([kind(), told]).toEqual([undefined, "The camera is gone"]);
});

test("a camera that the system holds back is told for as long as it does", async () => {
  await sources.camera(CHOICE);
  cameras.latest.hold(true);
  expect([kind(), told]).toEqual(["camera", "The camera gives no pictures"]);
  cameras.latest.hold(false);
  expect([kind(), told]).toEqual(["camera", ""]);
  const { latest } = cameras;
  await film();
  latest.hold(true);
  expect(told).toBe("");
});

test("a camera that another program has is asked for every four seconds", async () => {
  cameras.refuses = "NotReadableError";
  await sources.camera(CHOICE);
  expect(told).toBe("The camera is in use");
  await vi.advanceTimersByTimeAsync(8000);
  expect(cameras.asked).toBe(3);
  cameras.refuses = undefined;
  await vi.advanceTimersByTimeAsync(4000);
  expect([kind(), told]).toEqual(["camera", ""]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(cameras.asked).toBe(4);
});

test("no longer where another source was chosen meanwhile", async () => {
  cameras.refuses = "NotReadableError";
  await sources.camera(CHOICE);
  await film();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([kind(), cameras.asked]).toEqual(["film", 1]);
});

test("a camera is taken when the first is plugged in", async () => {
  cameras.devices = [];
  await sources.camera(CHOICE);
  expect(told).toBe("There is no camera");
  cameras.plug("front");
  await settled();
  expect([kind(), told]).toEqual(["camera", ""]);
});

test("a camera that was refused is not asked for again, whatever is plugged in", async () => {
  cameras.refuses = "NotAllowedError";
  await sources.camera(CHOICE);
  cameras.plug("front", "back");
  await vi.advanceTimersByTimeAsync(60_000);
  expect([cameras.asked, told]).toEqual([1, "The camera is not allowed"]);
});

test("while nobody looks at the page, no source plays; also one that is opened meanwhile", async () => {
  await film();
  sources.setActive(false);
  expect([sources.current.value?.active, FakeVideo.latest.playing]).toEqual([false, false]);
  await sources.camera(CHOICE);
  expect([sources.current.value?.active, FakeVideo.latest.playing]).toEqual([false, false]);
  sources.setActive(true);
  expect([sources.current.value?.active, FakeVideo.latest.playing]).toEqual([true, true]);
});
