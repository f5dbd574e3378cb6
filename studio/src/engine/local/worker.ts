/** The worker of local mode: loads the networks, then answers one frame after another. */

import type { ExpressionName, Model } from "mfn-client";
import landmarksUrl from "../../../../models/mobile/landmarks.bin?url";
import { faceAnswer } from "./answers.ts";
import { Detector } from "./detector.ts";
import { LocalError, problemOf } from "./failure.ts";
import { fetchBytes } from "./files.ts";
import { FramePixels } from "./frame-pixels.ts";
import { readManifest } from "./manifest.ts";
import type { FrameMessage, FromWorker, ToWorker, WorkerOptions } from "./messages.ts";
import { OrtNetworks, prepareRuntime } from "./networks.ts";
import { Session } from "./session.ts";
import { Laps } from "./timing.ts";
import { LandmarkModel } from "./vision/landmarks.ts";

/** More threads wait for each other longer than they save. */
const MAX_THREADS = 4;

/** Everything from the first message on. */
class Answerer {
  readonly model: Model;
  readonly #session: Session;
  readonly #names: readonly ExpressionName[];
  readonly #pixels = new FramePixels();
  #options: WorkerOptions;

  constructor(detector: Detector, model: Model, options: WorkerOptions) {
    this.model = model;
    this.#names = model.expression_names;
    this.#options = options;
    this.#session = new Session(detector, options);
  }

  configure(options: WorkerOptions): void {
    this.#options = options;
    this.#session.configure(options);
  }

  async answer({ picture, width, height, capturedAt, sentAt }: FrameMessage): Promise<FromWorker> {
    const queue = performance.timeOrigin + performance.now() - sentAt;
    const laps = new Laps();
    const timestamp = capturedAt / 1000;
    if (!this.#session.accepts(timestamp)) {
      picture.close();
      return { type: "skipped" };
    }
    const pixels = this.#pixels.read(picture, width, height);
    laps.end("decode");
    const { faces, restarted } = await this.#session.process(pixels, timestamp, laps);
    const { identity } = this.#options;
    const answers = faces.map((face) => faceAnswer(face, this.#names, identity));
    laps.end("postprocess");
    const { refine, ...steps } = { ...laps.ms, queue };
    return { type: "answer", faces: answers, restarted, timing: refine > 0 ? { ...steps, refine } : steps };
  }
}

/** Fetches and checks all files, and opens the networks. base: the page's URL. */
async function load(base: string, options: WorkerOptions): Promise<Answerer> {
  const file = (path: string) => new URL(path, base);
  const landmarks = fetchBytes(new URL(landmarksUrl, import.meta.url));
  const { mfn, sfn, facts, model } = readManifest(await fetchBytes(file("models/manifest.json")));
  const network = async ({ file: name, sha256, input }: typeof mfn) => {
    return { bytes: await fetchBytes(file(`models/${name}`), sha256), input };
  };
  const [mfnBytes, sfnBytes, landmarkBytes] = await Promise.all([network(mfn), network(sfn), landmarks]);
  const runtime = { mjs: file("assets/ort-wasm-simd-threaded.mjs"), wasm: file("assets/ort-wasm-simd-threaded.wasm") };
  prepareRuntime(runtime, threads());
  const networks = await opened(() => OrtNetworks.load(mfnBytes, sfnBytes, facts), runtime.wasm);
  return new Answerer(new Detector(networks, facts, new LandmarkModel(landmarkBytes)), model, options);
}

/** Threads of a run: half of the processor's, since the page needs some; one where the page's host does not isolate it. */
function threads(): number {
  return crossOriginIsolated ? Math.min(MAX_THREADS, Math.ceil(navigator.hardwareConcurrency / 2)) : 1;
}

/** Throws LocalError in place of what onnxruntime throws where its WebAssembly cannot be loaded. */
async function opened(open: () => Promise<OrtNetworks>, wasm: URL): Promise<OrtNetworks> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof Error && error.message.includes("no available backend"))) throw error;
    throw new LocalError(
      "unavailable",
      `The runtime of the networks, ${wasm.href}, could not be loaded; the browser's console tells why. Check the network ` +
        "and reload the page; where you host it yourself, copy the whole folder that `npm run build:static` makes.",
    );
  }
}

let answerer: Answerer | undefined;

async function handle(message: ToWorker): Promise<FromWorker | undefined> {
  switch (message.type) {
    case "open":
      answerer = await load(message.base, message.options);
      return { type: "open", model: answerer.model };
    case "configure":
      answerer?.configure(message.options);
      return undefined;
    case "frame":
      return answerer?.answer(message);
  }
}

self.addEventListener("message", async ({ data }: MessageEvent<ToWorker>) => {
  try {
    const answer = await handle(data);
    if (answer) self.postMessage(answer);
  } catch (error) {
    const doing = data.type === "open" ? "Loading the networks" : "Looking at a frame";
    const problem: FromWorker = { type: "problem", problem: problemOf(error, doing) };
    self.postMessage(problem);
  }
});
