/** Against a running service with the published models, at MFN_URL; MFN_KEY is its key. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { ARKIT_NAMES, Client, ConnectionError, EXPRESSION_NAMES, ProblemError, type Stream } from "../src/index.ts";

const url = process.env.MFN_URL ?? "";
const apiKey = process.env.MFN_KEY;
const pictures = new URL("../../../tests/pictures/", import.meta.url);
const [five, one, nobody] = await Promise.all(
  ["five_faces.webp", "one_face.jpg", "no_face.png"].map((name) => readFile(new URL(name, pictures))),
);

/** The boxes that a picture's faces were rendered into: left, top, right, bottom. */
async function rendered(name: string): Promise<number[][]> {
  const { faces } = JSON.parse(await readFile(new URL(name, pictures), "utf8"));
  return faces.map((face: { box: number[] }) => face.box);
}

function overlap(box: { x: number; y: number; width: number; height: number }, truth: number[]): number {
  const [left = 0, top = 0, right = 0, bottom = 0] = truth;
  const width = Math.max(0, Math.min(box.x + box.width, right) - Math.max(box.x, left));
  const height = Math.max(0, Math.min(box.y + box.height, bottom) - Math.max(box.y, top));
  const both = width * height;
  return both / (box.width * box.height + (right - left) * (bottom - top) - both);
}

/** Carries connections to the service, until it is told to cut them, or to hold what the service says. */
class Line {
  readonly #server = createServer((near) => this.#carry(near));
  readonly #ends = new Set<Socket>();
  held = false;

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return typeof address === "object" ? `http://127.0.0.1:${address?.port}` : assert.fail();
  }

  #carry(near: Socket): void {
    const far = connect(Number(new URL(url).port), new URL(url).hostname);
    near.pipe(far);
    far.on("data", (data) => this.held || near.write(data));
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#ends.add(end);
      end.on("error", () => {});
      end.on("close", () => other.destroy());
    }
  }

  cut(): void {
    for (const end of this.#ends) end.destroy();
    this.#ends.clear();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

/** The next time that a stream's state is this one. */
function becomes(stream: Stream, state: string): Promise<void> {
  return new Promise((resolve) => {
    stream.onstate = (now) => now === state && resolve();
  });
}

describe("with a service", { skip: url ? false : "MFN_URL names no service", timeout: 60_000 }, () => {
  const client = new Client({ baseUrl: url || undefined, apiKey });

  describe("pictures", () => {
    test("the model has the names that the types have", async () => {
      const model = await client.model();
      assert.deepEqual(model.arkit_names, [...ARKIT_NAMES]);
      assert.deepEqual(model.expression_names, [...EXPRESSION_NAMES]);
    });

    for (const [what, picture, name] of [
      ["a Buffer", one, "one_face.json"],
      ["a Blob", new Blob([five ?? assert.fail()]), "five_faces.json"],
      ["an ArrayBuffer", new Uint8Array(nobody ?? assert.fail()).buffer, "no_face.json"],
    ] as const) {
      test(`the faces of ${name.slice(0, -5)} are where they are, sent as ${what}`, async () => {
        const answer = await client.retarget(picture ?? assert.fail(), {
          include: ["blendshapes", "landmarks"],
          refine: true,
        });
        const boxes = await rendered(name);
        assert.equal(answer.faces.length, boxes.length);
        for (const truth of boxes) assert.ok(answer.faces.some((face) => overlap(face.box, truth) > 0.7));
        for (const face of answer.faces) {
          assert.deepEqual(Object.keys(face.blendshapes ?? {}), [...ARKIT_NAMES]);
          assert.equal(face.landmarks?.length, 68);
          assert.equal(face.identity?.length, 50);
          assert.ok(Math.abs(Math.hypot(...face.pose.quaternion) - 1) < 1e-5);
        }
      });
    }

    test("options are obeyed", async () => {
      const answer = await client.retarget(five ?? assert.fail(), {
        maxFaces: 2,
        exclude: ["identity"],
        inputSize: 416,
      });
      assert.equal(answer.faces.length, 2);
      assert.equal(answer.faces[0]?.identity, undefined);
    });

    test("what is no picture is a problem, and so is a bad option", async () => {
      const fails = (kind: string) => (error: unknown) => error instanceof ProblemError && error.kind === kind;
      await assert.rejects(client.retarget(new Uint8Array([1, 2, 3])), fails("bad-picture"));
      await assert.rejects(client.retarget(one ?? assert.fail(), { minScore: 7 }), fails("bad-parameter"));
      await assert.rejects(new Client({ baseUrl: `${url}/nothing`, apiKey }).model(), fails("not-found"));
    });

    test("a signal ends a request", async () => {
      const signal = AbortSignal.abort();
      await assert.rejects(client.retarget(one ?? assert.fail(), { signal }), { name: "AbortError" });
    });

    test("no service is a failed connection", async () => {
      await assert.rejects(new Client({ baseUrl: "http://127.0.0.1:1" }).model(), ConnectionError);
    });
  });

  describe("streams", () => {
    const streams: Stream[] = [];
    const opened = (...options: Parameters<Client["stream"]>): Stream => {
      const stream = client.stream(...options);
      streams.push(stream);
      return stream;
    };
    after(() => {
      for (const stream of streams) stream.close();
    });

    async function answered(stream: Stream, capturedAt: number, picture = one) {
      await stream.whenReady();
      return (await stream.send(picture ?? assert.fail(), { capturedAt })) ?? assert.fail("the frame was dropped");
    }

    test("follow people, and count their frames", async () => {
      const stream = opened({ smoothing: {}, include: ["blendshapes"], exclude: ["identity"], follow: true });
      const [first, second] = [await answered(stream, 1000), await answered(stream, 1033.25)];
      assert.equal(stream.model?.name, "mfn");
      assert.deepEqual([first.sequence, second.sequence], [1, 2]);
      assert.deepEqual([first.timestamp_us, second.timestamp_us], [1_000_000, 1_033_250]);
      assert.equal(second.faces[0]?.track_id, first.faces[0]?.track_id);
      assert.equal(second.faces.length, 1);
      assert.ok((second.faces[0]?.blendshapes?.jawOpen ?? -1) >= 0);
      assert.ok(second.answeredAt >= second.sentAt);
      assert.equal(second.dropped, 0);
    });

    test("take neutral faces, and forget them", async () => {
      const stream = opened();
      const seen = [(await answered(stream, 0)).faces[0]?.neutral];
      stream.calibrate("take_neutral");
      for (const time of [100, 600, 1250]) seen.push((await answered(stream, time)).faces[0]?.neutral);
      stream.calibrate("reset");
      seen.push((await answered(stream, 1300)).faces[0]?.neutral);
      assert.deepEqual(seen, ["off", "collecting", "collecting", "on", "off"]);
    });

    test("begin with a saved resting face", async () => {
      const seen = (await answered(opened(), 0)).faces[0]?.expression;
      const file = JSON.stringify({ neutral: seen }); // as `mfn capture` writes it
      const face = (await answered(opened({ ...JSON.parse(file) }), 0)).faces[0];
      assert.equal(face?.neutral, "on");
      assert.ok(Math.max(...Object.values(face?.expression ?? { none: 1 })) < 0.001);
    });

    test("turn frames", async () => {
      const stream = opened({ rotation: 90 });
      const { width, height } = (await answered(stream, 0)).image;
      stream.rotate(0);
      const { image } = await answered(stream, 100);
      assert.deepEqual([width, height], [image.height, image.width]);
    });

    test("say what is wrong with a frame, and go on", async () => {
      const stream = opened();
      await answered(stream, 0);
      await stream.whenReady();
      await assert.rejects(stream.send(new Blob(["no picture"]), { capturedAt: 100 }), ProblemError);
      assert.equal((await answered(stream, 200)).faces.length, 1);
    });

    test("have more frames on their way where you ask for it, each answered", async () => {
      const stream = opened({ inFlight: 3 });
      await stream.whenReady();
      const answers = await Promise.all(
        [0, 100, 200, 300].map(async (capturedAt) => {
          await stream.whenReady();
          return stream.send(new Blob([one ?? assert.fail()]), { capturedAt });
        }),
      );
      const sequences = answers.flatMap((answer) => (answer ? [answer.sequence] : []));
      assert.deepEqual(sequences, [1, 2, 3].slice(0, sequences.length));
      assert.equal(stream.dropped, answers.length - sequences.length);
    });

    test("change their options", async () => {
      const stream = opened();
      assert.equal((await answered(stream, 0)).faces[0]?.landmarks, undefined);
      stream.configure({ include: ["landmarks"] });
      const answer = await answered(stream, 100);
      assert.equal(answer.faces[0]?.landmarks?.length, 68);
      assert.deepEqual([answer.restarted, answer.faces[0]?.track_id], [true, 2]);
    });

    test("close with what the service refuses", async () => {
      const stream = opened({ minScore: 7 });
      await assert.rejects(stream.whenReady(), (error) => error instanceof ProblemError && error.status === 422);
      assert.equal(stream.state, "closed");
      const { key, ...others } = { key: `not ${apiKey}`, baseUrl: url };
      const stranger = new Client({ ...others, apiKey: key }).stream();
      await assert.rejects(
        stranger.whenReady(),
        (error) => error instanceof ProblemError && error.kind === "unauthenticated",
      );
    });

    describe("over a bad line", () => {
      const line = new Line();
      let far: Client;
      before(async () => {
        far = new Client({ baseUrl: await line.open(), apiKey });
      });
      after(() => line.close());

      test("come back when it is cut", async () => {
        const stream = far.stream();
        streams.push(stream);
        await answered(stream, 0);
        const lost = becomes(stream, "connecting");
        line.cut();
        await lost;
        const { restarted, faces } = await answered(stream, 100);
        assert.deepEqual([restarted, faces[0]?.track_id], [true, 2]);
      });

      test("come back when it hangs", async () => {
        const stream = far.stream({ timeout: 1000 });
        streams.push(stream);
        await answered(stream, 0);
        line.held = true;
        const problem = new Promise<Error>((resolve) => {
          stream.onproblem = resolve;
        });
        await stream.whenReady();
        assert.equal(await stream.send(one ?? assert.fail()), undefined);
        assert.match((await problem).message, /has not answered for 1 s/);
        line.held = false;
        await answered(stream, 5000);
        assert.equal(stream.dropped, 1);
      });
    });
  });
});
