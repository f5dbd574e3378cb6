/** One connection of a stream, from the opening of a WebSocket to its end. */

import { ConnectionError, isProblem, ProblemError } from "./errors.ts";
import type {
  CalibrationMessage,
  Configuration,
  FrameAnswer,
  FromServer,
  ModelAnswer,
  RotationMessage,
  StreamFace,
} from "./generated.ts";
import type { Picture } from "./options.ts";
import type { WebSocketConstructor, WebSocketLike } from "./socket.ts";

/** A frame's answer, and when it was there: milliseconds on performance.now()'s clock. */
export interface Answered {
  answer: FrameAnswer;
  answeredAt: number;
}

/** What a connection tells. `opened` comes once at most, `ended` once, unless you close it. */
export interface ConnectionEvents {
  opened(model: ModelAnswer): void;
  /** A frame was answered, or lost with the connection: there is room for another. */
  settled(): void;
  /** error: none where the service has closed it, since no frames came. transient: another connection may fare
   * better. */
  ended(error: ConnectionError | ProblemError | undefined, transient: boolean): void;
}

/** What is sent: a text, or a frame. */
type Message = string | Blob | ArrayBuffer;

interface Pending {
  resolve(answered: Answered | undefined): void;
  reject(error: Error): void;
}

/** Problems that end a stream and that pass by themselves. */
const TRANSIENT: readonly string[] = ["overloaded", "unavailable", "no-memory", "deadline-passed", "internal"];

/** Close codes, RFC 6455 section 7.4.1, after which the same messages would fail again: protocol error, unsupported
 * data, invalid data, policy violation, message too big. */
const PERMANENT: readonly number[] = [1002, 1003, 1007, 1008, 1009];

const NORMAL_CLOSURE = 1000;
const STAMP_BYTES = 16; // uint64 sequence, int64 microseconds, both little-endian

export class Connection {
  readonly #url: string;
  readonly #timeout: number; // milliseconds
  readonly #events: ConnectionEvents;
  readonly #socket: WebSocketLike;
  readonly #pending = new Map<number, Pending>(); // by sequence
  #early: Message[] | undefined; // what is said when the socket opens; undefined from then on
  #timer: ReturnType<typeof setTimeout> | undefined;
  #open = false; // from the model's message on
  #ended = false;

  /** Begins to open; what is sent before that waits for it. timeout: milliseconds to open in, and of silence while a frame waits for its answer. Throws
   * ConnectionError where the runtime refuses to try. */
  constructor(
    socket: WebSocketConstructor,
    url: string,
    configuration: Partial<Configuration>,
    timeout: number,
    events: ConnectionEvents,
  ) {
    this.#url = url;
    this.#timeout = timeout;
    this.#events = events;
    this.#early = [JSON.stringify(configuration)];
    try {
      this.#socket = new socket(url);
    } catch (cause) {
      throw new ConnectionError(`This page or program may not connect to ${url}: ${cause}`, { cause });
    }
    this.#socket.onopen = () => {
      for (const message of this.#early ?? []) this.#socket.send(message);
      this.#early = undefined;
    };
    this.#socket.onmessage = (event: { data: unknown }) => {
      if (!this.#ended) this.#receive(event.data);
    };
    this.#socket.onclose = (event: { code: number }) => this.#closed(event.code);
    this.#watch();
  }

  /** Frames that wait for their answers. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Whether a frame sent now would leave at once: the one before it has left. */
  get drained(): boolean {
    return this.#pending.size === 0 || (!this.#early && this.#socket.bufferedAmount === 0);
  }

  /** Sends a frame. Resolves to its answer, or to undefined where it is lost with the connection. Rejects with the
   * frame's problem, or with the connection's where another one would not help. */
  send(sequence: number, microseconds: number, picture: Picture): Promise<Answered | undefined> {
    return new Promise((resolve, reject) => {
      this.#pending.set(sequence, { resolve, reject });
      if (this.#pending.size === 1) this.#watch();
      this.#say(stamped(sequence, microseconds, picture));
    });
  }

  tell(message: CalibrationMessage | RotationMessage): void {
    this.#say(JSON.stringify(message));
  }

  /** Closes it, and tells no more. Frames on their way are lost. */
  close(): void {
    this.#finish();
    this.#settle((frame) => frame.resolve(undefined));
  }

  #say(message: Message): void {
    if (this.#early) this.#early.push(message);
    else this.#socket.send(message);
  }

  #receive(data: unknown): void {
    const message = parsed(data);
    if (message === undefined || (this.#open && "model" in message)) {
      // What has told its model is the service, and the next connection may fare better.
      const sentence = this.#open
        ? `${this.#url} has sent what is no answer of this service. Has it another version than this client?`
        : `What answers at ${this.#url} is not this service.`;
      this.#end(new ConnectionError(sentence), this.#open);
    } else if ("sequence" in message) {
      const frame = this.#pending.get(message.sequence);
      this.#pending.delete(message.sequence);
      this.#watch();
      if ("problem" in message) frame?.reject(new ProblemError(message.problem));
      else frame?.resolve({ answer: message, answeredAt: performance.now() });
      this.#events.settled();
    } else if ("model" in message) {
      this.#open = true;
      this.#watch();
      this.#events.opened(message.model);
    } else {
      const error = new ProblemError(message.problem);
      const idle = this.#open && error.kind === "deadline-passed" && this.#pending.size === 0;
      this.#end(idle ? undefined : error, TRANSIENT.includes(error.kind));
    }
  }

  #closed(code: number): void {
    const sentence = this.#open
      ? `The connection to ${this.#url} was lost, with code ${code}.`
      : `There is no connection to ${this.#url}. Check that the service runs, and that it can be reached there.`;
    this.#end(new ConnectionError(sentence), !PERMANENT.includes(code));
  }

  /** Gives the connection up where the service owes a message and none comes. */
  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#open && this.#pending.size === 0) return;
    const sentence = `${this.#url} has not answered for ${this.#timeout / 1000} s.`;
    this.#timer = setTimeout(() => this.#end(new ConnectionError(sentence), true), this.#timeout);
  }

  #end(error: ConnectionError | ProblemError | undefined, transient: boolean): void {
    if (this.#ended) return;
    this.#finish();
    this.#settle((frame) => (transient || !error ? frame.resolve(undefined) : frame.reject(error)));
    this.#events.ended(error, transient);
  }

  #finish(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#socket.close(NORMAL_CLOSURE);
  }

  #settle(how: (frame: Pending) => void): void {
    const frames = [...this.#pending.values()];
    this.#pending.clear();
    for (const frame of frames) how(frame);
  }
}

/** A message of the service; undefined where it lacks what is read of it here. */
function parsed(data: unknown): FromServer | undefined {
  try {
    const message: Record<string, unknown> = JSON.parse(String(data));
    const { sequence, faces, problem, model } = message;
    let known: boolean;
    if ("model" in message) known = typeof model === "object" && model !== null && !("sequence" in message);
    else if ("problem" in message) known = isProblem(problem);
    else known = Array.isArray(faces) && faces.every(isFace) && Number.isInteger(sequence);
    return known ? (message as unknown as FromServer) : undefined;
  } catch {
    return undefined; // no JSON, or no object
  }
}

function isFace(value: unknown): boolean {
  const face = value as Partial<StreamFace> | null;
  const { x, y, width, height } = face?.box ?? {};
  return [x, y, width, height].every(Number.isFinite) && Number.isSafeInteger(face?.track_id);
}

/** A frame's message: its stamp, and the picture. */
function stamped(sequence: number, microseconds: number, picture: Picture): Blob | ArrayBuffer {
  const stamp = new DataView(new ArrayBuffer(STAMP_BYTES));
  stamp.setBigUint64(0, BigInt(sequence), true);
  stamp.setBigInt64(8, BigInt(microseconds), true);
  if (picture instanceof Blob) return new Blob([stamp, picture]);
  const message = new Uint8Array(STAMP_BYTES + picture.byteLength);
  message.set(new Uint8Array(stamp.buffer));
  message.set(picture instanceof ArrayBuffer ? new Uint8Array(picture) : picture, STAMP_BYTES);
  return message.buffer;
}
