/// <reference lib="esnext.disposable" preserve="true" />
/** A stream of frames: one connection after another, and never more frames on their way than may be. */

import { Connection } from "./connection.ts";
import { ConnectionError, type ProblemError } from "./errors.ts";
import type { Calibration, FrameAnswer, ModelAnswer } from "./generated.ts";
import {
  checkOptions,
  checkPicture,
  configurationOf,
  type Picture,
  type Rotation,
  type StreamConfiguration,
  type StreamOptions,
} from "./options.ts";
import type { WebSocketConstructor } from "./socket.ts";

/** connecting: at first, and again after a loss. open: frames are taken; where the service has closed the connection,
 * since none came for a while, the next frame opens another. closed: after close(), or a failure that
 * trying again does not mend. */
export type StreamState = "connecting" | "open" | "closed";

/** Of one frame. */
export interface FrameOptions {
  /** When it was captured: milliseconds on performance.now()'s clock, as requestVideoFrameCallback tells; by default
   * when it is sent. Times have to rise; where they jump by more than a second, tracks begin anew. */
  capturedAt?: number | undefined;
}

/** What a frame shows. Times are milliseconds on performance.now()'s clock; answeredAt - sentAt is the round trip.
 * dropped counts all frames that send() was given in vain. restarted is true, too, for the first answer of another
 * connection. track_id is never used again, also not after that. */
export interface StreamAnswer extends FrameAnswer {
  capturedAt: number;
  sentAt: number;
  answeredAt: number;
}

const TIMEOUT = 10_000; // milliseconds; the service itself gives a frame 5,000 by default
const LONGEST_TIMEOUT = 2 ** 31 - 1; // milliseconds; timers end at once where they are asked for more
const FIRST_DELAY = 250; // milliseconds, before a connection is opened again; twice as long each time
const LONGEST_DELAY = 10_000; // milliseconds
const MICROSECONDS = 1000; // in a millisecond

/** Finds the faces of a stream of frames. Opens at once, and again after a loss, until it is closed.
 *
 * Nothing waits in it: a frame is sent at once, or not at all; only one that opens a connection waits for it. */
export class Stream {
  /** Called when the state changes. */
  onstate: ((state: StreamState) => void) | undefined;
  /** Called when a connection fails or ends, after onstate: the stream is "connecting" again, or "closed" where trying
   * again does not help. Problems of single frames are told by send(). */
  onproblem: ((error: ProblemError | ConnectionError) => void) | undefined;

  readonly #socket: WebSocketConstructor;
  readonly #url: string;
  readonly #key: string | undefined;
  readonly #most: number; // frames on their way
  readonly #timeout: number; // milliseconds
  readonly #reconnect: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.close();

  #configuration: StreamConfiguration;
  #connection: Connection | undefined;
  #state: StreamState = "connecting";
  #error: ProblemError | ConnectionError | undefined;
  #model: ModelAnswer | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #losses = 0; // connections since the last answer
  #waiting: (() => void)[] = []; // who waits for a change
  #sequence = 0; // of the last frame that was sent
  #microseconds = Number.NEGATIVE_INFINITY; // its timestamp
  #dropped = 0;
  #fresh = false; // the connection has replaced another, and answered nothing yet
  #lastTrack = 0; // greatest track_id that was told
  #firstTrack = 0; // what is added to this connection's own

  /** Use client.stream(). */
  constructor(socket: WebSocketConstructor, url: string, key: string | undefined, options: StreamOptions) {
    const { inFlight = 1, timeout = TIMEOUT, reconnect = true, signal, ...configuration } = options;
    if (!(Number.isInteger(inFlight) && inFlight >= 1)) {
      throw new RangeError(`inFlight is ${inFlight}; it is a number of frames, 1 or more.`);
    }
    if (!(Number.isFinite(timeout) && timeout > 0 && timeout <= LONGEST_TIMEOUT)) {
      throw new RangeError(`timeout is ${timeout}; it is milliseconds, more than 0 and at most ${LONGEST_TIMEOUT}.`);
    }
    checkOptions(configuration);
    this.#socket = socket;
    this.#url = url;
    this.#key = key;
    this.#most = inFlight;
    this.#timeout = timeout;
    this.#reconnect = reconnect;
    this.#signal = signal;
    this.#configuration = configuration;
    signal?.addEventListener("abort", this.#abort);
    queueMicrotask(() => this.#begin()); // after the caller has set its handlers
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Why the stream has closed by itself. */
  get error(): ProblemError | ConnectionError | undefined {
    return this.#error;
  }

  /** The model that answers; undefined before the stream is open for the first time. */
  get model(): ModelAnswer | undefined {
    return this.#model;
  }

  /** Frames that send() was given in vain: none was taken then, or they were lost with a connection. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether send() would take a frame now. Ask before you encode one. */
  get ready(): boolean {
    if (this.#state !== "open") return false;
    return !this.#connection || (this.#connection.inFlight < this.#most && this.#connection.drained);
  }

  /** Waits until send() would take a frame. Rejects with the stream's error where it closes. */
  async whenReady(options: { signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    while (!this.ready) {
      signal?.throwIfAborted();
      if (this.#state === "closed") throw this.#closedError();
      await new Promise<void>((resolve) => {
        const look = () => {
          signal?.removeEventListener("abort", look);
          resolve();
        };
        this.#waiting.push(look);
        signal?.addEventListener("abort", look);
      });
    }
  }

  /** Sends a frame, and resolves to its answer; to undefined where the frame is dropped: the stream was not ready, or
   * the connection is lost on the way. Rejects with ProblemError where this frame cannot be looked at, after which the
   * stream goes on, and with the stream's error where it is closed. */
  async send(picture: Picture, options: FrameOptions = {}): Promise<StreamAnswer | undefined> {
    checkPicture(picture);
    if (this.#state === "closed") throw this.#closedError();
    if (!this.ready) return this.#drop();
    const sentAt = performance.now();
    const capturedAt = options.capturedAt ?? sentAt;
    if (!Number.isFinite(capturedAt))
      throw new RangeError(`capturedAt is ${capturedAt}; it is a time in milliseconds.`);
    const rounded = Math.round(capturedAt * MICROSECONDS);
    // clocks of browsers may stand still for a millisecond and more
    this.#microseconds = options.capturedAt === undefined ? Math.max(rounded, this.#microseconds + 1) : rounded;
    const connection = this.#connection ?? this.#connect();
    if (!connection) throw this.#closedError();
    this.#sequence += 1;
    const answered = await connection.send(this.#sequence, this.#microseconds, picture);
    if (answered === undefined) return this.#drop();
    this.#losses = 0;
    return { ...this.#continued(answered.answer), capturedAt, sentAt, answeredAt: answered.answeredAt };
  }

  /** take_neutral: takes the next second as each person's resting face, which is subtracted from then on. reset:
   * forgets it. Returns whether the service is told: not while the stream is connecting; and another connection knows
   * nothing of it, but begins with the option `neutral` again. */
  calibrate(calibration: Calibration): boolean {
    if (this.#state !== "open") return false;
    const connection = this.#connection ?? this.#connect();
    connection?.tell({ calibration });
    return connection !== undefined;
  }

  /** Says by how many degrees the next frames have to be turned clockwise to be upright. */
  rotate(rotation: Rotation): void {
    checkOptions({ rotation });
    this.#configuration = { ...this.#configuration, rotation };
    this.#connection?.tell({ rotation });
  }

  /** Changes options, by way of a new connection: frames on their way are dropped, and tracks begin anew. */
  configure(options: StreamConfiguration): void {
    checkOptions(options);
    this.#configuration = { ...this.#configuration, ...options };
    if (this.#connection === undefined) return; // the next one will have them
    this.#connection.close();
    if (this.#connect()) this.#become("connecting");
  }

  /** Closes the stream; frames on their way are dropped. */
  close(): void {
    if (this.#state === "closed") return;
    this.#connection?.close();
    this.#end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #begin(): void {
    if (this.#signal?.aborted) this.close();
    if (this.#state !== "closed") this.#connect();
  }

  /** Begins another connection; undefined where the runtime refuses to, which closes the stream. */
  #connect(): Connection | undefined {
    const configuration = configurationOf(this.#configuration, this.#key);
    try {
      this.#connection = new Connection(this.#socket, this.#url, configuration, this.#timeout, {
        opened: (model) => this.#opened(model),
        settled: () => this.#changed(),
        ended: (error, transient) => this.#lost(error, transient),
      });
    } catch (error) {
      this.#lost(error as ConnectionError, false);
    }
    return this.#connection;
  }

  #opened(model: ModelAnswer): void {
    this.#fresh = this.#model !== undefined;
    this.#firstTrack = this.#lastTrack;
    this.#model = model;
    this.#become("open");
  }

  #lost(error: ProblemError | ConnectionError | undefined, transient: boolean): void {
    this.#connection = undefined;
    if (!error && this.#reconnect) return; // the next frame opens another
    if (transient && this.#reconnect) {
      const longest = Math.min(FIRST_DELAY * 2 ** this.#losses, LONGEST_DELAY);
      this.#losses += 1;
      // at random, so that clients that a server loses together do not come back together
      this.#timer = setTimeout(() => this.#connect(), longest * (0.5 + 0.5 * Math.random()));
      this.#become("connecting");
    } else {
      this.#error = error;
      this.#end();
    }
    if (error) this.onproblem?.(error);
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#connection = undefined;
    this.#become("closed");
  }

  #become(state: StreamState): void {
    const before = this.#state;
    this.#state = state;
    this.#changed();
    if (state !== before) this.onstate?.(state);
  }

  /** Lets those look again who wait for the stream to be ready. */
  #changed(): void {
    for (const look of this.#waiting.splice(0)) look();
  }

  #drop(): undefined {
    this.#dropped += 1;
    return undefined;
  }

  /** The answer as of one stream, whatever connection it came by. */
  #continued(answer: FrameAnswer): FrameAnswer {
    const faces = answer.faces.map((face) => ({ ...face, track_id: this.#firstTrack + face.track_id }));
    this.#lastTrack = faces.reduce((last, face) => Math.max(last, face.track_id), this.#lastTrack);
    const restarted = answer.restarted || this.#fresh;
    this.#fresh = false;
    return { ...answer, faces, restarted, dropped: this.#dropped };
  }

  #closedError(): ProblemError | ConnectionError {
    return this.#error ?? new ConnectionError("The stream is closed.");
  }
}
