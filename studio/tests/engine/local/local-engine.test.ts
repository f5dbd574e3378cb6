import type { Model, Problem } from "mfn-client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { EngineOptions, EngineState, FrameAnswer } from "../../../src/engine/engine.ts";
import { createLocalEngine } from "../../../src/engine/local/local-engine.ts";
import type { FromWorker, ToWorker } from "../../../src/engine/local/messages.ts";

const OPTIONS: EngineOptions = { refine: true, smoothing: false, identity: true, key: "secret" };
const MODEL = { name: "mfn" } as Model;
const SOURCE = {} as HTMLVideoElement;
const PROBLEM: Problem = { type: "t", title: "t", status: 503, detail: "The file is missing." };

/** A worker that only notes what it is told. */
class FakeWorker extends EventTarget {
  static latest: FakeWorker;
  readonly told: ToWorker[] = [];
  readonly transferred: unknown[] = [];
  terminated = false;

  constructor() {
    super();
    FakeWorker.latest = this;
  }

  postMessage(message: ToWorker, transfer: Transferable[]): void {
    this.told.push(message);
    this.transferred.push(...transfer);
  }

  terminate(): void {
    this.terminated = true;
  }

  say(data: FromWorker): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
}

let bitmap: { close: () => void };
let makeBitmap: ReturnType<typeof vi.fn>;

beforeEach(() => {
  bitmap = { close: vi.fn() };
  makeBitmap = vi.fn(async () => bitmap);
  vi.stubGlobal("Worker", FakeWorker);
  vi.stubGlobal("OffscreenCanvas", vi.fn());
  vi.stubGlobal("createImageBitmap", makeBitmap);
  vi.stubGlobal("document", { baseURI: "https://example.org/studio/" });
});

afterEach(() => vi.unstubAllGlobals());

function opened() {
  const engine = createLocalEngine();
  const answers: FrameAnswer[] = [];
  const problems: Problem[] = [];
  const states: EngineState[] = [];
  engine.open(OPTIONS, {
    answer: (answer) => answers.push(answer),
    problem: (problem) => problems.push(problem),
    state: (state) => states.push(state),
  });
  return { engine, worker: FakeWorker.latest, answers, problems, states };
}

function ready() {
  const all = opened();
  all.worker.say({ type: "open", model: MODEL });
  return all;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("it opens with the page's address and the options that a worker needs", () => {
  const { engine, worker, states } = opened();
  const options = { refine: true, smoothing: false, identity: true };
  expect(worker.told).toEqual([{ type: "open", base: "https://example.org/studio/", options }]);
  expect([engine.mode, engine.ready, engine.model]).toEqual(["local", false, undefined]);
  worker.say({ type: "open", model: MODEL });
  expect([engine.ready, engine.model]).toEqual([true, MODEL]);
  expect(states).toEqual(["connecting", "open"]);
});

test("one frame is on its way; those that come meanwhile are dropped and counted", async () => {
  const { engine, worker, answers } = ready();
  engine.submit(SOURCE, 640, 480, 1000);
  expect(engine.ready).toBe(false);
  engine.submit(SOURCE, 640, 480, 1010);
  engine.submit(SOURCE, 640, 480, 1020);
  await settled();
  expect(worker.told.at(-1)).toMatchObject({ type: "frame", width: 640, height: 480 });
  expect(worker.told.at(-1)).toHaveProperty("capturedAt", performance.timeOrigin + 1000);
  expect(worker.transferred).toEqual([bitmap]);
  worker.say({ type: "answer", faces: [], timing: { inference: 50 }, restarted: true });
  expect(answers).toMatchObject([
    { faces: [], image: { width: 640, height: 480 }, capturedAt: 1000, dropped: 2, restarted: true },
  ]);
  expect(answers[0]?.timing).toEqual({ inference: 50 });
  expect(answers[0]?.answeredAt).toBeGreaterThan(0);
  expect(engine.ready).toBe(true);
});

test("a frame before the networks are there is dropped, as is one without pixels", async () => {
  const { engine, worker, answers } = opened();
  engine.submit(SOURCE, 640, 480, 1);
  worker.say({ type: "open", model: MODEL });
  engine.submit(SOURCE, 0, 0, 2);
  expect(makeBitmap).not.toHaveBeenCalled();
  engine.submit(SOURCE, 640, 480, 3);
  await settled();
  worker.say({ type: "answer", faces: [], timing: {}, restarted: false });
  expect(answers[0]?.dropped).toBe(2);
});

test("a source that shows nothing yet, and a frame that is not newer, do not stop the next one", async () => {
  const { engine, worker, answers } = ready();
  makeBitmap.mockRejectedValueOnce(new DOMException("no frame", "InvalidStateError"));
  engine.submit(SOURCE, 640, 480, 1);
  await settled();
  expect(engine.ready).toBe(true);
  engine.submit(SOURCE, 640, 480, 2);
  await settled();
  worker.say({ type: "skipped" });
  expect(engine.ready).toBe(true);
  engine.submit(SOURCE, 640, 480, 3);
  await settled();
  worker.say({ type: "answer", faces: [], timing: {}, restarted: false });
  expect(answers[0]?.dropped).toBe(2);
});

test("a video's frame is sent as it is", async () => {
  class FakeVideo {}
  const frames: unknown[] = [];
  vi.stubGlobal("HTMLVideoElement", FakeVideo);
  vi.stubGlobal(
    "VideoFrame",
    class {
      constructor(source: unknown) {
        frames.push(source);
      }
    },
  );
  const { engine, worker } = ready();
  const video = new FakeVideo() as HTMLVideoElement;
  engine.submit(video, 1280, 720, 1);
  await settled();
  expect(frames).toEqual([video]);
  expect(makeBitmap).not.toHaveBeenCalled();
  expect(worker.told.at(-1)).toMatchObject({ width: 1280, height: 720 });
});

test("a problem is told, and ends it", () => {
  const { engine, worker, problems, states } = opened();
  worker.say({ type: "problem", problem: PROBLEM });
  expect(problems).toEqual([PROBLEM]);
  expect(states).toEqual(["connecting", "closed"]);
  expect([engine.ready, worker.terminated]).toEqual([false, true]);
});

test("a worker whose script cannot be loaded", () => {
  const { worker, problems, states } = opened();
  worker.dispatchEvent(new Event("error"));
  expect(problems[0]?.detail).toMatch(/^The program of local mode could not be loaded\. Check the network/);
  expect(states.at(-1)).toBe("closed");
});

test("a worker that crashes while it looks at a frame", async () => {
  const { engine, worker, problems, states } = ready();
  engine.submit(SOURCE, 640, 480, 1);
  worker.dispatchEvent(Object.assign(new Event("error"), { message: "memory access out of bounds" }));
  expect(problems[0]?.detail).toMatch(/^The program of local mode failed: memory access out of bounds\./);
  expect(states.at(-1)).toBe("closed");
  engine.configure(OPTIONS); // the reader tries again
  FakeWorker.latest.say({ type: "open", model: MODEL });
  worker.say({ type: "problem", problem: PROBLEM }); // what it had said before its end
  expect([engine.ready, problems.length]).toEqual([true, 1]);
});

test("a worker that has ended without a word is missed", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const { engine, worker, problems, answers } = ready();
  engine.submit(SOURCE, 640, 480, 1);
  await settled();
  vi.advanceTimersByTime(29_000); // a slow one
  worker.say({ type: "answer", faces: [], timing: {}, restarted: false });
  vi.advanceTimersByTime(60_000); // nothing to look at
  expect([answers.length, problems]).toEqual([1, []]);
  engine.submit(SOURCE, 640, 480, 2);
  vi.advanceTimersByTime(30_000);
  expect(problems[0]?.detail).toMatch(/^The program of local mode has given no answer for 30 seconds/);
  expect(worker.terminated).toBe(true);
  vi.useRealTimers();
});

test("a browser that lacks what is needed", () => {
  vi.stubGlobal("OffscreenCanvas", undefined);
  const { problems, states } = opened();
  expect(problems[0]?.detail).toMatch(/^This browser lacks pictures in workers/);
  expect(states).toEqual(["connecting", "closed"]);
});

test("options go to the worker", () => {
  const { engine, worker } = ready();
  engine.configure({ ...OPTIONS, refine: false });
  const options = { refine: false, smoothing: false, identity: true };
  expect(worker.told.slice(1)).toEqual([{ type: "configure", options }]);
});

test("when it has failed, it takes no frame, and lets go of one on its way", async () => {
  const { engine, worker, answers, states } = ready();
  engine.submit(SOURCE, 640, 480, 1);
  worker.say({ type: "problem", problem: PROBLEM });
  await settled();
  expect(bitmap.close).toHaveBeenCalled();
  engine.submit(SOURCE, 640, 480, 2);
  expect(worker.told).toHaveLength(1);
  expect(answers).toEqual([]);
  expect(states).toEqual(["connecting", "open", "closed"]);
});
