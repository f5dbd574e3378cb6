import type { Problem } from "mfn-client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { answer, FakeSocket, MODEL, problem } from "../../../clients/javascript/tests/fake-socket.ts";
import type { EngineOptions, FrameAnswer } from "../../src/engine/engine.ts";
import { ServerEngine } from "../../src/engine/server.ts";
import { FakeWorker, fakeEncoder, settled } from "./fake-encoder.ts";

const OPTIONS: EngineOptions = { refine: true, smoothing: true, identity: false, key: "" };
const SOURCE = {} as HTMLImageElement;

let now: number;
let engine: ServerEngine;
let answers: FrameAnswer[];
/** States, and titles of problems. */
let told: string[];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  now = 1000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  fakeEncoder();
  FakeWorker.jpeg = new Uint8Array([1, 2, 3]).buffer;
  FakeSocket.all = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  answers = [];
  told = [];
  engine = new ServerEngine(new URL("http://host/"));
  engine.open(OPTIONS, {
    answer: (frame) => answers.push(frame),
    problem: ({ type, title }: Problem) => told.push(type.startsWith("urn:") ? type : title),
    state: (state) => told.push(state),
  });
  await settled();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** Submits what the source shows at a moment, and waits until it is sent. */
async function submit(capturedAt: number): Promise<void> {
  engine.submit(SOURCE, 640, 480, capturedAt);
  await settled();
}

async function tell(message: unknown): Promise<void> {
  FakeSocket.last.tell(message);
  await settled();
}

const lastAnswer = (sequence: number) => ({
  ...answer(sequence, [1]),
  timing_ms: { queue: 5, decode: 2, refine: null },
});

test("frames are taken when the service has told its model", async () => {
  expect([engine.ready, engine.model]).toEqual([false, undefined]);
  FakeSocket.last.open();
  expect([engine.ready, engine.model, told]).toEqual([true, MODEL, ["open"]]);
  expect(FakeSocket.last.configuration).toMatchObject({
    follow: true,
    refine: true,
    smoothing: {},
    include: ["landmarks", "blendshapes"],
    exclude: ["identity"],
  });
});

test("a frame is encoded, sent, and told with its times", async () => {
  FakeSocket.last.open();
  await submit(990);
  expect(FakeWorker.latest.requests).toMatchObject([{ width: 640, height: 480 }]);
  expect(await FakeSocket.last.frames()).toEqual([{ sequence: 1n, microseconds: 990_000n, picture: [1, 2, 3] }]);
  now = 1040;
  await tell(lastAnswer(1));
  expect(answers).toMatchObject([{ capturedAt: 990, answeredAt: 1040, timing: { queue: 5, decode: 2 }, dropped: 0 }]);
  expect(answers[0]?.faces[0]?.track_id).toBe(1);
});

test("frames that come while one is encoded, or too early, are counted with the next answer", async () => {
  await submit(900); // not open
  FakeSocket.last.open();
  engine.submit(SOURCE, 640, 480, 990);
  await submit(991); // the one before is being encoded
  await submit(992); // it is sent, and another would wait at the service
  await tell(lastAnswer(1));
  expect(answers).toMatchObject([{ capturedAt: 990, dropped: 3 }]);
});

test("a second frame travels while the service looks at the first", async () => {
  FakeSocket.last.open();
  await submit(1000);
  now = 1500;
  await submit(1500);
  expect(await FakeSocket.last.frames()).toHaveLength(2);
  now = 2500;
  expect(engine.ready).toBe(false);
  await tell(lastAnswer(1));
  expect(engine.ready).toBe(true);
});

test("a frame that the service cannot look at is told, and the stream goes on", async () => {
  FakeSocket.last.open();
  await submit(1000);
  await tell({ sequence: 1, timestamp_us: 0, dropped: 0, problem: problem("bad-picture") });
  expect(told).toEqual(["open", "urn:problem-type:mfn:bad-picture"]);
  expect(engine.ready).toBe(true);
});

test("an answer that cannot be shown is told, and the next frame is sent", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  FakeSocket.last.open();
  await submit(1000);
  await tell(answer(1, [1])); // without its times
  expect(told).toEqual(["open", "An answer cannot be shown"]);
  expect(log).toHaveBeenCalledOnce();
  now = 1500;
  await submit(1500);
  await tell(lastAnswer(2));
  expect(answers).toHaveLength(1);
});

test("a connection that is lost is told, and opened again", async () => {
  FakeSocket.last.open();
  FakeSocket.last.end(1006);
  expect(told).toEqual(["open", "connecting", "No connection"]);
  expect(engine.model).toEqual(MODEL);
  vi.advanceTimersByTime(250);
  FakeSocket.last.open();
  await submit(1000);
  await tell(lastAnswer(1));
  expect([told.at(-1), answers.length]).toEqual(["open", 1]);
});

test("one that the service closes, since no frames came, is not told, and the next frame opens another", async () => {
  FakeSocket.last.open();
  await submit(1000);
  await tell(lastAnswer(1));
  await tell({ problem: problem("deadline-passed") });
  vi.advanceTimersByTime(3_600_000);
  expect([told, FakeSocket.all.length, engine.ready]).toEqual([["open"], 1, true]);
  await submit(90_000);
  FakeSocket.last.open();
  await tell(lastAnswer(2));
  expect([told, FakeSocket.all.length, answers.length]).toEqual([["open"], 2, 2]);
});

test("other options come with another connection of the stream", () => {
  FakeSocket.last.open();
  engine.configure({ ...OPTIONS, smoothing: false, identity: true });
  FakeSocket.last.open();
  const { smoothing, exclude } = FakeSocket.last.configuration;
  expect([smoothing, exclude]).toEqual([undefined, []]);
  expect(told).toEqual(["open", "connecting", "open"]);
});

test("a service that asks for a key closes it; with a key it opens again", async () => {
  await tell({ problem: problem("unauthenticated") });
  expect(told).toEqual(["closed", "urn:problem-type:mfn:unauthenticated"]);
  engine.configure({ ...OPTIONS, key: "a key" });
  await settled();
  FakeSocket.last.open();
  expect(FakeSocket.last.configuration.key).toBe("a key");
  expect(told.slice(2)).toEqual(["connecting", "open"]);
});

test("a worker that cannot encode is told, and the next frame is sent", async () => {
  FakeSocket.last.open();
  FakeWorker.jpeg = undefined;
  await submit(1000);
  FakeWorker.latest.onerror?.({ message: "out of memory" });
  await settled();
  expect(told).toEqual(["open", "A picture cannot be sent"]);
  FakeWorker.jpeg = new ArrayBuffer(3);
  await submit(1100);
  expect(await FakeSocket.last.frames()).toHaveLength(1);
});
