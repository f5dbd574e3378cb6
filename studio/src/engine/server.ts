/** The engine that is the service: frames go to it as JPEG files over a WebSocket. While the service looks at one, the
 * next is encoded and sent, not so early that it would have to wait there. */

import { Client, ConnectionError, type Model, ProblemError, type Stream, type StreamAnswer } from "mfn-client";
import type { Engine, EngineEvents, EngineOptions, FrameAnswer } from "./engine.ts";
import { EncoderError, FrameEncoder } from "./frame-encoder.ts";
import { Pacing } from "./pacing.ts";
import { StreamClock } from "./stream-clock.ts";

/** Of JPEG; below it blocks begin to show, and coefficients to change. */
const QUALITY = 0.85;

/** Frames on their way: one that the service looks at, and one that travels. */
const IN_FLIGHT = 2;

export class ServerEngine implements Engine {
  readonly mode = "server";
  readonly #baseUrl: URL;
  readonly #encoder = new FrameEncoder();
  readonly #clock = new StreamClock();
  #stream: Stream | undefined;
  #events: EngineEvents | undefined;
  #options: EngineOptions | undefined;
  #model: Model | undefined;
  #encoding = false;
  readonly #pacing = new Pacing();
  #dropped = 0;

  /** baseUrl: the service's address, below which its paths lie. */
  constructor(baseUrl: URL) {
    this.#baseUrl = baseUrl;
  }

  get model(): Model | undefined {
    return this.#stream?.model ?? this.#model;
  }

  get ready(): boolean {
    return !this.#encoding && !!this.#stream?.ready && this.#pacing.due(performance.now());
  }

  open(options: EngineOptions, events: EngineEvents): void {
    this.#events = events;
    this.#options = options;
    this.#connect(options);
  }

  submit(source: CanvasImageSource, width: number, height: number, capturedAt: number): void {
    if (!this.ready) {
      this.#dropped++;
      return;
    }
    this.#encoding = true;
    this.#pacing.taken(performance.now());
    void this.#look(source, width, height, capturedAt);
  }

  configure(options: EngineOptions): void {
    const before = this.#options;
    this.#options = options;
    // A stream keeps its key for life; and one that has closed, as for want of a key, does not open again.
    if (options.key !== before?.key || this.#stream?.state === "closed") this.#connect(options);
    else this.#stream?.configure(configuration(options));
  }

  #connect(options: EngineOptions): void {
    const before = this.#stream;
    if (before) {
      this.#model = before.model;
      before.onstate = undefined;
      before.onproblem = undefined;
      before.close();
    }
    const client = new Client({ baseUrl: this.#baseUrl, apiKey: options.key || undefined });
    const stream = client.stream({ ...configuration(options), inFlight: IN_FLIGHT });
    this.#stream = stream;
    stream.onstate = (state) => this.#events?.state(state);
    stream.onproblem = (error) => this.#tell(error);
    if (before) this.#events?.state("connecting");
  }

  /** Encodes what the source shows, sends it, and tells the answer. */
  async #look(source: CanvasImageSource, width: number, height: number, capturedAt: number): Promise<void> {
    try {
      const jpeg = await this.#encoder.encode(source, width, height, QUALITY).finally(() => {
        this.#encoding = false;
      });
      if (!jpeg || !this.#stream?.ready) {
        this.#dropped++;
        return;
      }
      const answer = await this.#send(this.#stream, jpeg, capturedAt);
      if (answer) this.#events?.answer(this.#answerOf(answer, capturedAt));
    } catch (error) {
      // A stream that is closed has told why already.
      if (this.#stream?.state !== "closed") this.#tell(error);
    }
  }

  async #send(stream: Stream, jpeg: ArrayBuffer, capturedAt: number): Promise<StreamAnswer | undefined> {
    let took: number | undefined;
    this.#pacing.sent();
    try {
      const answer = await stream.send(jpeg, { capturedAt: this.#clock.at(capturedAt) });
      took = answer && serviceTime(answer);
      return answer;
    } finally {
      this.#pacing.ended(took);
    }
  }

  #answerOf(answer: StreamAnswer, capturedAt: number): FrameAnswer {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return {
      faces: answer.faces,
      image: answer.image,
      capturedAt,
      answeredAt: answer.answeredAt,
      timing: { ...answer.timing_ms },
      dropped,
      restarted: answer.restarted,
    };
  }

  #tell(error: unknown): void {
    const problem = (type: string, title: string, detail: string) =>
      this.#events?.problem({ type, title, status: 0, detail });
    if (error instanceof ProblemError) this.#events?.problem(error.problem);
    else if (error instanceof ConnectionError) problem("no-connection", "No connection", error.message);
    else if (error instanceof EncoderError) problem("no-encoder", "A picture cannot be sent", error.message);
    else {
      // Of what takes the answer: the page goes on with the next one.
      console.error(error);
      problem("defect", "An answer cannot be shown", `The page and the server may be of different versions: ${error}.`);
    }
  }
}

/** Milliseconds that the service took for a frame, without what the frame waited. */
function serviceTime({ timing_ms: { queue, ...steps } }: StreamAnswer): number {
  return Object.values(steps).reduce((sum, step) => sum + (step ?? 0), 0);
}

/** What a stream is opened with: faces are followed from frame to frame, which is quicker, steadier, and has gaze. */
function configuration({ refine, smoothing, identity }: EngineOptions) {
  return {
    follow: refine,
    refine,
    smoothing: smoothing ? {} : undefined,
    include: ["landmarks", "blendshapes"] as const,
    exclude: identity ? [] : (["identity"] as const),
  };
}
