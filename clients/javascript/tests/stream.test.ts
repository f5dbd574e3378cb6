import assert from "node:assert/strict";
import { beforeEach, describe, mock, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import {
  Client,
  ConnectionError,
  EXPRESSION_NAMES,
  type ExpressionName,
  ProblemError,
  type Stream,
  type StreamOptions,
} from "../src/index.ts";
import { answer, FakeSocket, MODEL, problem } from "./fake-socket.ts";

const PICTURE = new Uint8Array([1, 2, 3]);

beforeEach(() => {
  FakeSocket.all = [];
  mock.reset();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(Math, "random", () => 1); // the longest delay
});

/** A stream that has begun to connect, and what it has told. */
async function begun(options: StreamOptions = {}, apiKey?: string): Promise<{ stream: Stream; told: string[] }> {
  const stream = new Client({ baseUrl: "http://host/", WebSocket: FakeSocket, apiKey }).stream(options);
  const told: string[] = [];
  stream.onstate = (state) => told.push(state);
  stream.onproblem = (error) => told.push(error.message);
  await turn();
  return { stream, told };
}

async function opened(options: StreamOptions = {}): Promise<{ stream: Stream; told: string[] }> {
  const both = await begun(options);
  FakeSocket.last.open();
  return both;
}

describe("opening", () => {
  test("tells the configuration first, and is ready when the model has come", async () => {
    const options = { minScore: 0.3, include: ["blendshapes"], smoothing: { beta: 2 }, follow: true } as const;
    const { stream, told } = await begun(options, "a key");
    const socket = FakeSocket.last;
    assert.equal(socket.url, "ws://host/retarget/stream");
    assert.deepEqual([stream.state, stream.ready, stream.model], ["connecting", false, undefined]);
    socket.open();
    assert.deepEqual(socket.configuration, {
      stamped: true,
      drop_policy: "none",
      min_score: 0.3,
      include: ["blendshapes"],
      smoothing: { beta: 2 },
      follow: true,
      key: "a key",
    });
    assert.deepEqual([stream.state, stream.ready, stream.model], ["open", true, MODEL]);
    assert.deepEqual(told, ["open"]);
  });

  test("a frame before that is dropped", async () => {
    const { stream } = await begun();
    assert.equal(await stream.send(PICTURE), undefined);
    assert.equal(stream.dropped, 1);
    assert.deepEqual(await FakeSocket.last.frames(), []);
  });

  test("whenReady waits for it", async () => {
    const { stream } = await begun();
    let ready = false;
    const waiting = stream.whenReady().then(() => {
      ready = true;
    });
    await turn();
    assert.equal(ready, false);
    FakeSocket.last.open();
    await waiting;
  });

  test("whenReady ends with its signal", async () => {
    const { stream } = await begun();
    const controller = new AbortController();
    const waiting = stream.whenReady({ signal: controller.signal });
    controller.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    assert.equal(stream.state, "connecting");
  });

  test("takes no longer than the time for it", async () => {
    const { told } = await begun({ timeout: 2000 });
    mock.timers.tick(1999);
    assert.deepEqual(told, []);
    mock.timers.tick(1);
    assert.deepEqual(told, ["ws://host/retarget/stream has not answered for 2 s."]);
    assert.equal(FakeSocket.last.closedWith, 1000);
  });

  test("a WebSocket that the page may not open closes the stream", async () => {
    class Refused extends FakeSocket {
      constructor(url: string) {
        super(url);
        throw new DOMException("insecure", "SecurityError");
      }
    }
    const stream = new Client({ baseUrl: "http://host", WebSocket: Refused }).stream();
    await assert.rejects(stream.whenReady(), ConnectionError);
    assert.equal(stream.state, "closed");
    assert.match(String(stream.error?.message), /may not connect to ws:\/\/host\/retarget\/stream: SecurityError/);
  });

  test("inFlight is checked", () => {
    const client = new Client({ WebSocket: FakeSocket });
    for (const inFlight of [0, 1.5, Number.NaN]) assert.throws(() => client.stream({ inFlight }), RangeError);
  });
});

describe("options", () => {
  test("a timeout is a time that timers have", () => {
    const client = new Client({ WebSocket: FakeSocket });
    for (const timeout of [Number.NaN, "x", "10", -1, 0, 1e12, Number.POSITIVE_INFINITY, 10n]) {
      assert.throws(() => client.stream({ timeout: timeout as number }), {
        name: "RangeError",
        message: `timeout is ${timeout}; it is milliseconds, more than 0 and at most 2147483647.`,
      });
    }
  });

  test("what JSON has no value for is refused at once", async () => {
    const client = new Client({ WebSocket: FakeSocket });
    const refused = { name: "TypeError", message: /^(maxFaces|beta|rotation) is .+; a finite number is expected\.$/ };
    const ten = 10n as unknown as number;
    assert.throws(() => client.stream({ maxFaces: ten }), refused);
    assert.throws(() => client.stream({ smoothing: { beta: Number.NaN } }), refused);
    const { stream } = await opened();
    assert.throws(() => stream.configure({ maxFaces: ten }), refused);
    assert.throws(() => stream.rotate(ten as 90), refused);
    assert.deepEqual([stream.state, FakeSocket.all.length, FakeSocket.last.texts], ["open", 1, []]);
  });
});

describe("frames", () => {
  test("one is on its way at a time; others are dropped, and nothing waits", async () => {
    const { stream } = await opened();
    const first = stream.send(PICTURE);
    assert.equal(stream.ready, false);
    assert.equal(await stream.send(PICTURE), undefined);
    FakeSocket.last.tell(answer(1, [7]));
    assert.equal(stream.ready, true);
    const answered = await first;
    assert.equal(answered?.faces[0]?.track_id, 7);
    assert.equal(answered?.dropped, 1);
    stream.send(PICTURE);
    assert.deepEqual(
      (await FakeSocket.last.frames()).map((frame) => frame.sequence),
      [1n, 2n],
    );
  });

  test("more are where you ask for them, if those before have left", async () => {
    const { stream } = await opened({ inFlight: 2 });
    const answers = [stream.send(PICTURE)];
    FakeSocket.last.bufferedAmount = 19;
    assert.equal(stream.ready, false);
    FakeSocket.last.bufferedAmount = 0;
    assert.equal(stream.ready, true);
    answers.push(stream.send(PICTURE));
    assert.equal(stream.ready, false);
    FakeSocket.last.tell(answer(1));
    FakeSocket.last.tell(answer(2));
    assert.deepEqual(
      (await Promise.all(answers)).map((one) => one?.sequence),
      [1, 2],
    );
  });

  for (const [name, picture] of Object.entries({
    "a Uint8Array": new Uint8Array([9, 1, 2, 3]).subarray(1),
    "an ArrayBuffer": PICTURE.buffer,
    "a Blob": new Blob([PICTURE]),
  })) {
    test(`are stamped: ${name}`, async () => {
      const { stream } = await opened();
      stream.send(picture, { capturedAt: 1234.5678 });
      assert.deepEqual(await FakeSocket.last.frames(), [{ sequence: 1n, microseconds: 1234568n, picture: [1, 2, 3] }]);
    });
  }

  test("have times of their own that rise, even where the clock stands still", async () => {
    mock.method(performance, "now", () => 5);
    const { stream } = await opened({ inFlight: 3 });
    for (let i = 0; i < 3; i++) stream.send(PICTURE);
    const times = (await FakeSocket.last.frames()).map((frame) => frame.microseconds);
    assert.deepEqual(times, [5000n, 5001n, 5002n]);
  });

  test("answers tell when they were captured, sent and answered", async () => {
    const { stream } = await opened();
    const now = mock.method(performance, "now", () => 100);
    const sent = stream.send(PICTURE, { capturedAt: 90 });
    now.mock.mockImplementation(() => 130);
    FakeSocket.last.tell(answer(1));
    const answered = await sent;
    assert.deepEqual([answered?.capturedAt, answered?.sentAt, answered?.answeredAt], [90, 100, 130]);
  });

  test("one that cannot be looked at rejects, and the stream goes on", async () => {
    const { stream, told } = await opened();
    const sent = stream.send(PICTURE);
    FakeSocket.last.tell({ sequence: 1, timestamp_us: 0, dropped: 0, problem: problem("bad-picture") });
    await assert.rejects(sent, (error) => error instanceof ProblemError && error.kind === "bad-picture");
    assert.equal(stream.ready, true);
    assert.deepEqual(told, ["open"]);
  });

  test("what is no picture, and what is no time, is refused", async () => {
    const { stream } = await opened();
    await assert.rejects(stream.send("data:image/jpeg;base64," as never), TypeError);
    await assert.rejects(stream.send(PICTURE, { capturedAt: Number.NaN }), RangeError);
    assert.equal(stream.ready, true);
  });

  test("whenReady waits for the answer to the one before", async () => {
    const { stream } = await opened();
    stream.send(PICTURE);
    const waiting = stream.whenReady();
    FakeSocket.last.tell(answer(1));
    await waiting;
  });
});

describe("losses", () => {
  for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 1013]) {
    test(`after ${code} another connection is opened`, async () => {
      const { stream, told } = await opened();
      const lost = stream.send(PICTURE);
      FakeSocket.last.end(code);
      assert.equal(await lost, undefined);
      assert.equal(stream.dropped, 1);
      assert.deepEqual(told, [
        "open",
        "connecting",
        `The connection to ws://host/retarget/stream was lost, with code ${code}.`,
      ]);
      assert.equal(FakeSocket.all.length, 1);
      mock.timers.tick(250);
      assert.equal(FakeSocket.all.length, 2);
      FakeSocket.last.open();
      assert.equal(stream.ready, true);
    });
  }

  test("a frame that is not answered in the service's time is one", async () => {
    const { stream, told } = await opened();
    const lost = stream.send(PICTURE);
    FakeSocket.last.tell({ problem: problem("deadline-passed") });
    assert.equal(await lost, undefined);
    assert.deepEqual(told, ["open", "connecting", "about deadline-passed"]);
  });

  test("so is a service that says that no configuration came in time", async () => {
    const { stream } = await begun();
    FakeSocket.last.tell({ problem: problem("deadline-passed") });
    mock.timers.tick(250);
    FakeSocket.last.open();
    assert.equal(stream.ready, true);
  });

  for (const kind of ["overloaded", "unavailable", "no-memory", "internal"]) {
    test(`after ${kind} another connection is opened`, async () => {
      const { told } = await begun();
      FakeSocket.last.tell({ problem: problem(kind) });
      FakeSocket.last.end(1013);
      assert.deepEqual(told, [`about ${kind}`]);
      mock.timers.tick(250);
      assert.equal(FakeSocket.all.length, 2);
    });
  }

  for (const kind of ["unauthenticated", "bad-parameter", "origin-refused", "too-large", "bad-body"]) {
    test(`${kind} closes the stream`, async () => {
      const { stream, told } = await opened();
      const sent = stream.send(PICTURE);
      const waiting = stream.whenReady();
      FakeSocket.last.tell({ problem: problem(kind) });
      FakeSocket.last.end(1008);
      const of = (error: unknown) => error instanceof ProblemError && error.kind === kind && error === stream.error;
      await assert.rejects(sent, of);
      await assert.rejects(waiting, of);
      await assert.rejects(stream.send(PICTURE), of);
      assert.deepEqual(told, ["open", "closed", `about ${kind}`]);
      mock.timers.tick(60_000);
      assert.equal(FakeSocket.all.length, 1);
    });
  }

  for (const code of [1002, 1003, 1007, 1008, 1009]) {
    test(`${code} closes the stream`, async () => {
      const { stream } = await opened();
      FakeSocket.last.end(code);
      assert.equal(stream.state, "closed");
      assert.ok(stream.error instanceof ConnectionError);
    });
  }

  test("delays double up to 10 s, at random from the half, until a frame is answered", async () => {
    const { stream } = await begun();
    for (const [half, whole] of [
      [125, 250],
      [250, 500],
      [500, 1000],
      [1000, 2000],
      [2000, 4000],
      [4000, 8000],
      [5000, 10_000],
      [5000, 10_000],
    ] as const) {
      const before = FakeSocket.all.length;
      const chance = mock.method(Math, "random", () => (before % 2 ? 0 : 0.999999));
      const delay = before % 2 ? half : whole;
      FakeSocket.last.end(1006);
      chance.mock.restore();
      mock.timers.tick(delay - 1);
      assert.equal(FakeSocket.all.length, before);
      mock.timers.tick(1);
      assert.equal(FakeSocket.all.length, before + 1);
    }
    FakeSocket.last.open();
    const sent = stream.send(PICTURE);
    FakeSocket.last.tell(answer(1));
    await sent;
    FakeSocket.last.end(1006);
    mock.timers.tick(250);
    FakeSocket.last.open();
    assert.equal(stream.state, "open");
  });

  test("none is mended where you do not want it", async () => {
    const { stream, told } = await opened({ reconnect: false });
    FakeSocket.last.end(1006);
    await assert.rejects(stream.whenReady(), ConnectionError);
    mock.timers.tick(60_000);
    assert.equal(FakeSocket.all.length, 1);
    assert.equal(told[1], "closed");
  });

  test("a service that hangs is left: a frame is not answered in time", async () => {
    const { stream, told } = await opened({ timeout: 3000 });
    mock.timers.tick(60_000); // nothing is owed
    const sent = stream.send(PICTURE);
    mock.timers.tick(2999);
    assert.equal(stream.state, "open");
    mock.timers.tick(1);
    assert.equal(await sent, undefined);
    assert.deepEqual(told.slice(1), ["connecting", "ws://host/retarget/stream has not answered for 3 s."]);
    const [left] = FakeSocket.all;
    assert.equal(left?.closedWith, 1000);
    mock.timers.tick(250);
    FakeSocket.last.open();
    left?.tell(answer(1)); // too late
    left?.end(1006);
    assert.equal(stream.ready, true);
  });

  test("each answer begins the time for the next anew", async () => {
    const { stream } = await opened({ inFlight: 2, timeout: 3000 });
    stream.send(PICTURE);
    stream.send(PICTURE);
    mock.timers.tick(2000);
    FakeSocket.last.tell(answer(1));
    mock.timers.tick(2000);
    FakeSocket.last.tell(answer(2));
    mock.timers.tick(60_000);
    assert.equal(stream.state, "open");
  });

  for (const text of ["<html>", "null", "7", '{"hello": 1}']) {
    test(`what says ${text} is another service`, async () => {
      const { stream } = await begun();
      FakeSocket.last.tellText(text);
      assert.equal(stream.state, "closed");
      assert.match(String(stream.error?.message), /is not this service/);
    });
  }

  for (const message of [
    { faces: [] },
    { sequence: "1", faces: [] },
    { sequence: 1 },
    { sequence: 1, faces: null },
    { sequence: 1, faces: [null] },
    { sequence: 1, faces: [{ score: 0.9 }] },
    { sequence: 1, faces: [{ track_id: 1 }] },
    { sequence: 1, faces: [{ track_id: 1, box: { x: 0, y: 0, width: 1 } }] },
    answer(1, [2 ** 53]),
    { ...answer(1), model: MODEL },
    { model: MODEL },
    { sequence: 1, problem: null },
    { problem: "full" },
    { model: 7 },
    null,
  ]) {
    test(`what says ${JSON.stringify(message)} in place of an answer is left for another connection`, async () => {
      const { stream, told } = await opened();
      const lost = stream.send(PICTURE);
      FakeSocket.last.tell(message);
      assert.equal(await lost, undefined);
      assert.equal(told[1], "connecting");
      assert.match(String(told[2]), /has sent what is no answer of this service/);
      mock.timers.tick(250);
      FakeSocket.last.open();
      const sent = stream.send(PICTURE);
      FakeSocket.last.tell(answer(2));
      assert.equal((await sent)?.sequence, 2);
    });
  }

  test("the next connection continues the stream", async () => {
    const { stream } = await opened();
    stream.rotate(90);
    const first = stream.send(PICTURE);
    FakeSocket.last.tell(answer(1, [1, 4], true));
    assert.equal((await first)?.restarted, true);
    FakeSocket.last.end(1006);
    mock.timers.tick(250);
    FakeSocket.last.open();
    assert.equal(FakeSocket.last.configuration.rotation, 90);
    const told = [];
    for (const sequence of [2, 3]) {
      const sent = stream.send(PICTURE);
      FakeSocket.last.tell(answer(sequence, [2, 1]));
      const { restarted, faces } = (await sent) ?? assert.fail();
      told.push([restarted, faces.map((face) => face.track_id)]);
    }
    assert.deepEqual(told, [
      [true, [6, 5]],
      [false, [6, 5]],
    ]);
  });
});

describe("without frames for a while", () => {
  /** A stream whose connection the service has closed, since no frames came. */
  async function idle(options: StreamOptions = {}) {
    const both = await opened(options);
    const sent = both.stream.send(PICTURE);
    FakeSocket.last.tell(answer(1, [3]));
    await sent;
    FakeSocket.last.tell({ problem: problem("deadline-passed") });
    FakeSocket.last.end(1001);
    return both;
  }

  test("the service closes the connection: nobody is told, and none is opened", async () => {
    const { stream, told } = await idle();
    mock.timers.tick(3_600_000);
    assert.equal(FakeSocket.all.length, 1);
    assert.deepEqual([stream.state, stream.ready, stream.error], ["open", true, undefined]);
    await stream.whenReady();
    assert.deepEqual(told, ["open"]);
  });

  test("the next frame opens another connection, and waits for it alone", async () => {
    const { stream, told } = await idle({ inFlight: 2 });
    const sent = stream.send(PICTURE);
    assert.equal(FakeSocket.all.length, 2);
    assert.deepEqual([stream.ready, FakeSocket.last.sent.length], [false, 0]);
    FakeSocket.last.open();
    assert.equal(FakeSocket.last.configuration.stamped, true);
    assert.deepEqual(
      (await FakeSocket.last.frames()).map(({ sequence }) => sequence),
      [2n],
    );
    assert.equal(stream.ready, true);
    FakeSocket.last.tell(answer(2, [1]));
    const answered = await sent;
    assert.deepEqual([answered?.restarted, answered?.faces[0]?.track_id], [true, 4]);
    assert.deepEqual(told, ["open"]);
  });

  test("so does a calibration; other options and rotations come with the next frame", async () => {
    const { stream } = await idle();
    const neutral = Object.fromEntries(EXPRESSION_NAMES.map((name) => [name, 0.25])) as Record<ExpressionName, number>;
    stream.configure({ refine: true, neutral });
    stream.rotate(90);
    assert.equal(FakeSocket.all.length, 1);
    assert.equal(stream.calibrate("take_neutral"), true);
    FakeSocket.last.open();
    const { refine, rotation, neutral: told } = FakeSocket.last.configuration;
    assert.deepEqual([refine, rotation, told], [true, 90, neutral]);
    assert.deepEqual(FakeSocket.last.texts, [{ calibration: "take_neutral" }]);
  });

  test("a service that is gone meanwhile is told with the next frame, and sought", async () => {
    const { stream, told } = await idle();
    const lost = stream.send(PICTURE);
    FakeSocket.last.end(1006);
    assert.equal(await lost, undefined);
    assert.equal(told[1], "connecting");
    assert.match(String(told[2]), /There is no connection/);
    mock.timers.tick(250);
    FakeSocket.last.open();
    assert.equal(stream.ready, true);
  });

  test("the stream closes where none is to be opened again", async () => {
    const { stream } = await idle({ reconnect: false });
    assert.deepEqual([stream.state, stream.error], ["closed", undefined]);
  });

  test("closing it ends everything", async () => {
    const { stream, told } = await idle();
    stream.close();
    assert.deepEqual(told, ["open", "closed"]);
    await assert.rejects(stream.send(PICTURE), ConnectionError);
    assert.equal(FakeSocket.all.length, 1);
  });
});

describe("while it runs", () => {
  test("calibrations and rotations are told", async () => {
    const { stream } = await begun();
    assert.equal(stream.calibrate("take_neutral"), false);
    FakeSocket.last.open();
    assert.equal(stream.calibrate("take_neutral"), true);
    assert.equal(stream.calibrate("reset"), true);
    stream.rotate(270);
    assert.deepEqual(FakeSocket.last.texts, [
      { calibration: "take_neutral" },
      { calibration: "reset" },
      { rotation: 270 },
    ]);
  });

  test("a rotation is told after the options of a connection that opens", async () => {
    const { stream } = await begun({ rotation: 0 });
    stream.rotate(90);
    FakeSocket.last.open();
    assert.deepEqual([FakeSocket.last.configuration.rotation, FakeSocket.last.texts], [0, [{ rotation: 90 }]]);
    FakeSocket.last.end(1006);
    mock.timers.tick(250);
    stream.rotate(180);
    FakeSocket.last.open();
    assert.deepEqual([FakeSocket.last.configuration.rotation, FakeSocket.last.texts], [90, [{ rotation: 180 }]]);
  });

  test("other options come with another connection", async () => {
    const { stream, told } = await opened({ refine: true, maxFaces: 2 });
    const lost = stream.send(PICTURE);
    stream.configure({ refine: false });
    assert.equal(await lost, undefined);
    assert.equal(FakeSocket.all[0]?.closedWith, 1000);
    FakeSocket.last.open();
    assert.equal(FakeSocket.all.length, 2);
    assert.deepEqual([FakeSocket.last.configuration.refine, FakeSocket.last.configuration.max_faces], [false, 2]);
    assert.deepEqual(told, ["open", "connecting", "open"]);
  });

  test("what the connection before says late does not count", async () => {
    const { stream } = await begun();
    stream.configure({ refine: true });
    FakeSocket.all[0]?.tell({ model: MODEL });
    FakeSocket.all[0]?.end(1006);
    assert.equal(stream.state, "connecting");
    FakeSocket.last.open();
    assert.equal(stream.state, "open");
    assert.equal(FakeSocket.all.length, 2);
  });

  test("other options before it begins, and while it waits, come with the connection to be", async () => {
    const stream = new Client({ baseUrl: "http://host", WebSocket: FakeSocket }).stream();
    stream.configure({ refine: true });
    await turn();
    FakeSocket.last.end(1006);
    stream.configure({ follow: true });
    assert.equal(FakeSocket.all.length, 1);
    mock.timers.tick(250);
    FakeSocket.last.open();
    assert.equal(FakeSocket.all.length, 2);
    assert.deepEqual([FakeSocket.last.configuration.refine, FakeSocket.last.configuration.follow], [true, true]);
  });
});

describe("closing", () => {
  test("drops what is on its way, and ends everything", async () => {
    const { stream, told } = await opened();
    const lost = stream.send(PICTURE);
    stream.close();
    stream.close();
    assert.equal(await lost, undefined);
    assert.equal(FakeSocket.last.closedWith, 1000);
    FakeSocket.last.end(1005);
    assert.deepEqual(told, ["open", "closed"]);
    assert.deepEqual([stream.ready, stream.error, stream.calibrate("reset")], [false, undefined, false]);
    await assert.rejects(stream.send(PICTURE), { name: "ConnectionError", message: "The stream is closed." });
    stream.configure({ refine: true });
    mock.timers.tick(60_000);
    assert.equal(FakeSocket.all.length, 1);
  });

  test("ends a wait for the next connection", async () => {
    const { stream } = await opened();
    FakeSocket.last.end(1006);
    stream.close();
    mock.timers.tick(60_000);
    assert.equal(FakeSocket.all.length, 1);
  });

  for (const when of ["onstate", "onproblem"] as const) {
    test(`may be done in ${when}`, async () => {
      const { stream } = await opened();
      stream[when] = () => stream.close();
      FakeSocket.last.end(1006);
      assert.equal(stream.state, "closed");
      mock.timers.tick(60_000);
      assert.equal(FakeSocket.all.length, 1);
    });
  }

  test("is what a signal does, before it begins, too", async () => {
    const controller = new AbortController();
    const { stream } = await opened({ signal: controller.signal });
    controller.abort();
    assert.equal(stream.state, "closed");
    const { stream: late } = await begun({ signal: controller.signal });
    assert.equal(late.state, "closed");
    assert.equal(FakeSocket.all.length, 1);
  });

  test("before it begins opens nothing", async () => {
    const stream = new Client({ baseUrl: "http://host", WebSocket: FakeSocket }).stream();
    stream.close();
    await turn();
    assert.equal(FakeSocket.all.length, 0);
  });

  test("is what the end of a block does", async () => {
    const { stream } = await opened();
    stream[Symbol.dispose]();
    assert.equal(stream.state, "closed");
  });
});
