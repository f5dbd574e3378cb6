/** Finds faces in this browser: a worker runs the published networks. No picture leaves the machine. */

import type { Model, Problem } from "mfn-client";
import type { Engine, EngineEvents, EngineOptions, EngineState } from "../engine.ts";
import { grab } from "../grab.ts";
import { LocalError, problemOf } from "./failure.ts";
import type { AnswerMessage, FromWorker, ToWorker } from "./messages.ts";
import { checkSupport } from "./support.ts";

/** An engine that runs in this browser. */
export function createLocalEngine(): Engine {
  return new LocalEngine();
}

/** A frame that is not answered by so many looks, as far apart, never will be. A machine that has slept counts one. */
const LOOKS = 3;
const LOOK_MS = 10_000;

/** A frame on its way. capturedAt: milliseconds on performance.now()'s clock. */
interface Underway {
  image: { width: number; height: number };
  capturedAt: number;
}

class LocalEngine implements Engine {
  readonly mode = "local";
  model: Model | undefined;
  #state: EngineState = "closed";
  #events: EngineEvents | undefined;
  #worker: Worker | undefined;
  #underway: Underway | undefined;
  #looks: ReturnType<typeof setInterval> | undefined; // at the frame on its way
  #dropped = 0; // since the last answer
  /** What was asked for while the networks were loaded. */
  #options: EngineOptions | undefined;

  get ready(): boolean {
    return this.#state === "open" && this.#underway === undefined;
  }

  open(options: EngineOptions, events: EngineEvents): void {
    this.#events = events;
    this.#enter("connecting");
    try {
      checkSupport();
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "local engine" });
      worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
        if (worker === this.#worker) this.#receive(data); // not what one that was ended had said before
      });
      worker.addEventListener("error", (event) => this.#fail(this.#workerProblem(event)));
      this.#worker = worker;
    } catch (error) {
      this.#fail(problemOf(error, "Starting local mode"));
      return;
    }
    this.#send({ type: "open", base: document.baseURI, options: workerOptions(options) });
  }

  submit(source: CanvasImageSource, width: number, height: number, capturedAt: number): void {
    if (!this.ready || !(width > 0 && height > 0)) {
      this.#dropped++;
      return;
    }
    const underway = { image: { width, height }, capturedAt };
    this.#underway = underway;
    this.#watch();
    grab(source).then(
      (picture) => this.#sendFrame(picture, underway),
      () => this.#drop(underway), // the source shows nothing yet, or no longer
    );
  }

  /** Where the engine has failed, it begins again. */
  configure(options: EngineOptions): void {
    this.#options = options;
    if (this.#state === "closed" && this.#events) this.open(options, this.#events);
    else if (this.#state === "open") this.#send({ type: "configure", options: workerOptions(options) });
  }

  #enter(state: EngineState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#events?.state(state);
  }

  #fail(problem: Problem): void {
    this.#events?.problem(problem);
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#underway = undefined;
    this.#enter("closed");
  }

  #send(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  #sendFrame(picture: VideoFrame | ImageBitmap, underway: Underway): void {
    if (this.#underway !== underway) {
      picture.close(); // the engine has failed meanwhile
      return;
    }
    const { timeOrigin } = performance; // the worker's clock begins at another time
    const capturedAt = timeOrigin + underway.capturedAt;
    const sentAt = timeOrigin + performance.now();
    this.#send({ type: "frame", picture, ...underway.image, capturedAt, sentAt }, [picture]);
  }

  #drop(underway: Underway): void {
    if (this.#underway !== underway) return;
    this.#arrived();
    this.#dropped++;
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "open":
        this.model = message.model;
        if (this.#options) this.#send({ type: "configure", options: workerOptions(this.#options) });
        this.#options = undefined;
        this.#enter("open");
        break;
      case "answer":
        this.#answer(message);
        break;
      case "skipped":
        if (this.#underway) this.#drop(this.#underway);
        break;
      case "problem":
        this.#fail(message.problem);
        break;
    }
  }

  #answer({ faces, timing, restarted }: AnswerMessage): void {
    const underway = this.#underway;
    if (!underway) return;
    const dropped = this.#dropped;
    this.#arrived();
    this.#dropped = 0;
    this.#events?.answer({ ...underway, faces, answeredAt: performance.now(), timing, dropped, restarted });
  }

  /** Ends a worker that has crashed without a word. */
  #watch(): void {
    let looks = 0;
    this.#looks = setInterval(() => {
      if (++looks < LOOKS) return;
      const detail =
        `The program of local mode has given no answer for ${(LOOKS * LOOK_MS) / 1000} seconds: it has crashed, or this ` +
        "machine is too busy. Try again, or use the server.";
      this.#fail(problemOf(new LocalError("internal", detail), ""));
    }, LOOK_MS);
  }

  #arrived(): void {
    clearInterval(this.#looks);
    this.#underway = undefined;
  }

  /** An error of the worker itself: its script could not be loaded, or it threw where nothing caught it. */
  #workerProblem(event: ErrorEvent): Problem {
    event.preventDefault();
    if (event.message) return problemOf(new Error(event.message), "The program of local mode");
    const detail =
      "The program of local mode could not be loaded. Check the network and reload the page; where you host it yourself, " +
      "copy the whole folder that `npm run build:static` makes.";
    return problemOf(new LocalError("unavailable", detail), "");
  }
}

function workerOptions({ refine, smoothing, identity }: EngineOptions) {
  return { refine, smoothing, identity };
}
