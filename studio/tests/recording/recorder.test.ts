import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FrameAnswer } from "../../src/engine/engine.ts";
import { MAX_MS, Recorder } from "../../src/recording/recorder.ts";
import { face } from "../face.ts";

const VIDEO = { video: true, jsonLines: false, csv: false };
const ALL = { video: true, jsonLines: true, csv: true };
const answer: FrameAnswer = {
  faces: [face(1, 0)],
  image: { width: 640, height: 480 },
  capturedAt: 1000,
  answeredAt: 1030,
  timing: {},
  dropped: 0,
  restarted: false,
};

/** Records one piece a second, when it is told that one has gone by. */
class FakeMediaRecorder {
  static latest: FakeMediaRecorder;
  static isTypeSupported = (type: string) => type === "video/webm;codecs=vp8";
  state = "inactive";
  readonly mimeType: string;
  ondataavailable: ((event: { data: Blob }) => void) | undefined;
  onerror: ((event: { error: unknown }) => void) | undefined;
  onstop: (() => void) | undefined;

  constructor(_: unknown, { mimeType }: { mimeType: string }) {
    this.mimeType = mimeType;
    FakeMediaRecorder.latest = this;
  }

  start(): void {
    this.state = "recording";
  }

  piece(text: string): void {
    this.ondataavailable?.({ data: new Blob([text]) });
  }

  stop(): void {
    if (this.state === "inactive") throw new DOMException("it is inactive", "InvalidStateError");
    this.state = "inactive";
    queueMicrotask(() => {
      this.piece("");
      this.onstop?.();
    });
  }
}

let told: string[];
let saved: { name: string; url: string }[];
let tracks: { stop: ReturnType<typeof vi.fn> }[];
let leaving: EventTarget;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "performance", "Date"] });
  told = [];
  saved = [];
  tracks = [];
  leaving = new EventTarget();
  const link = () => {
    const element = { href: "", download: "", click: () => saved.push({ name: element.download, url: element.href }) };
    return element;
  };
  vi.stubGlobal("document", { createElement: link });
  vi.stubGlobal("MediaRecorder", FakeMediaRecorder);
  vi.stubGlobal("addEventListener", leaving.addEventListener.bind(leaving));
  vi.stubGlobal("removeEventListener", leaving.removeEventListener.bind(leaving));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function recorder(): Recorder {
  const capture = () => {
    const track = { stop: vi.fn() };
    tracks.push(track);
    return { getTracks: () => [track] } as unknown as MediaStream;
  };
  return new Recorder(capture, (sentence) => told.push(sentence));
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const kinds = () => saved.map(({ name }) => name.slice(name.lastIndexOf(".") + 1));
const asked = () => !leaving.dispatchEvent(new Event("beforeunload", { cancelable: true }));

test("it saves a file of each format when it is stopped, and lets go of the stage", async () => {
  const recording = recorder();
  recording.start(ALL);
  expect(recording.progress.value).toEqual({ milliseconds: 0, bytes: 0 });
  expect(asked()).toBe(true); // before the page is left
  for (const capturedAt of [1000, 1033]) recording.add({ ...answer, capturedAt }, [{ person: 3, face: face(1, 0) }]);
  FakeMediaRecorder.latest.piece("video");
  vi.advanceTimersByTime(1500);
  expect(recording.progress.value?.milliseconds).toBe(1500);
  expect(recording.progress.value?.bytes).toBeGreaterThan(500);
  expect(await recording.stop()).toBe(3);
  expect(kinds()).toEqual(["webm", "jsonl", "csv"]);
  expect(saved[2]?.name).toMatch(/^studio_.+_person-3\.csv$/);
  expect(tracks[0]?.stop).toHaveBeenCalled();
  expect(recording.progress.value).toBeUndefined();
  expect([told, asked()]).toEqual([[], false]);
  expect(await recording.stop()).toBe(0);
  expect(saved).toHaveLength(3);
});

test("a browser that stops by itself is told, with its reason, and what there is is saved", async () => {
  const recording = recorder();
  recording.start(ALL);
  for (const capturedAt of [1000, 1033]) recording.add({ ...answer, capturedAt }, [{ person: 1, face: face(1, 0) }]);
  FakeMediaRecorder.latest.piece("video");
  FakeMediaRecorder.latest.onerror?.({ error: new DOMException("the encoder failed", "UnknownError") });
  await settled();
  expect(kinds()).toEqual(["webm", "jsonl", "csv"]);
  expect(told).toEqual([
    "The browser has stopped recording the video (the encoder failed). What was recorded until then was saved. " +
      "Start another recording to go on.",
  ]);
  expect(recording.progress.value).toBeUndefined();
  recording.start(VIDEO); // another one is as good as the first
  FakeMediaRecorder.latest.piece("video");
  expect(await recording.stop()).toBe(1);
});

test("where the track has ended before anything was recorded, no empty file is saved", async () => {
  const recording = recorder();
  recording.start(VIDEO);
  FakeMediaRecorder.latest.stop(); // as the browser does
  await settled();
  expect(saved).toEqual([]);
  expect(told).toEqual([
    "The browser has stopped recording the video. Nothing was recorded until then. Start another recording to go on.",
  ]);
});

test("it stops by itself before the memory is full", async () => {
  const recording = recorder();
  recording.start(VIDEO);
  FakeMediaRecorder.latest.piece("video");
  vi.advanceTimersByTime(MAX_MS);
  await settled();
  expect(told).toEqual(["The recording has reached 30 minutes and was saved. Start another one to go on."]);
  expect(kinds()).toEqual(["webm"]);
  recording.start({ ...VIDEO, video: false, jsonLines: true });
  const faces = Array.from({ length: 20 }, (_, i) => ({ person: i, face: face(i, 0) }));
  for (let i = 0; i < 200; i++) recording.add(answer, faces);
  const size = 200 * JSON.stringify(faces.map((each) => each.face)).length;
  vi.advanceTimersByTime(500);
  expect(recording.progress.value?.bytes).toBeGreaterThan(size);
});

test("a CSV without a row is not saved, and that is told", async () => {
  vi.setSystemTime(Date.UTC(2026, 10, 28, 12, 0, 0, 5)); // on none of the frames of a sixtieth of a second
  const recording = recorder();
  recording.start({ ...VIDEO, video: false, csv: true });
  for (const capturedAt of [1000, 1600, 2300])
    recording.add(
      { ...answer, capturedAt },
      [1, 2].map((person) => ({ person, face: face(person, 0) })),
    );
  expect(await recording.stop()).toBe(0);
  expect([saved, told]).toEqual([
    [],
    [expect.stringMatching(/^No Live Link Face CSV was saved of persons 1, 2: .+0\.5 s/)],
  ]);
});

test("one goes on while another is asked for", async () => {
  const recording = recorder();
  recording.start(VIDEO);
  recording.start(VIDEO);
  expect(tracks).toHaveLength(1);
  FakeMediaRecorder.latest.piece("video");
  const stopping = recording.stop();
  recording.start(VIDEO);
  await stopping;
  expect([tracks.length, asked()]).toEqual([2, true]);
});

test("a browser that records no video records motion, and says so", async () => {
  vi.stubGlobal("MediaRecorder", undefined);
  const recording = recorder();
  recording.start(ALL);
  expect(told[0]).toMatch(/^This browser cannot record the stage as video\. Choose a motion format/);
  expect(await recording.stop()).toBe(1); // nobody was seen: JSON lines alone
  recording.start(VIDEO);
  expect(recording.progress.value).toBeUndefined();
});

test("a stage that cannot be captured is let go of", () => {
  FakeMediaRecorder.prototype.start = vi.fn().mockImplementationOnce(() => {
    throw new DOMException("no tracks", "NotSupportedError");
  });
  const recording = recorder();
  recording.start(VIDEO);
  expect(told[0]).toMatch(/^This browser cannot record the stage as video/);
  expect(tracks[0]?.stop).toHaveBeenCalled();
});

test("nothing chosen is told", () => {
  const recording = recorder();
  recording.start({ video: false, jsonLines: false, csv: false });
  expect(told).toEqual(["Nothing is chosen to be recorded. Choose a format in the menu beside the button."]);
});
