/** A WebSocket whose other side is the test. */

import type { FrameAnswer, ModelAnswer, ProblemDocument } from "../src/generated.ts";

export const MODEL = { name: "mfn", version: "1.2.3" } as ModelAnswer;

export class FakeSocket {
  static all: FakeSocket[] = [];

  /** The latest one. */
  static get last(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  readonly url: string;
  readonly sent: (string | Blob | ArrayBuffer)[] = [];
  binaryType = "blob";
  bufferedAmount = 0;
  closedWith: number | undefined;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;

  constructor(url: string) {
    this.url = url;
    FakeSocket.all.push(this);
  }

  send(data: string | Blob | ArrayBuffer): void {
    this.sent.push(data);
  }

  close(code?: number): void {
    this.closedWith = code;
  }

  // What the service does.

  open(model: ModelAnswer = MODEL): void {
    this.onopen?.({} as never);
    this.tell({ model });
  }

  tell(message: unknown): void {
    this.tellText(JSON.stringify(message));
  }

  tellText(data: string): void {
    this.onmessage?.({ data } as never);
  }

  end(code: number): void {
    this.onclose?.({ code } as never);
  }

  // What the client has sent.

  get configuration(): Record<string, unknown> {
    return JSON.parse(String(this.sent[0]));
  }

  /** The messages after the configuration that are text. */
  get texts(): unknown[] {
    return this.sent.slice(1).flatMap((data) => (typeof data === "string" ? [JSON.parse(data)] : []));
  }

  /** The frames: their stamps and what comes after. */
  async frames(): Promise<{ sequence: bigint; microseconds: bigint; picture: number[] }[]> {
    const binary = this.sent.filter((data) => typeof data !== "string");
    const buffers = await Promise.all(binary.map((data) => (data instanceof Blob ? data.arrayBuffer() : data)));
    return buffers.map((buffer) => ({
      sequence: new DataView(buffer).getBigUint64(0, true),
      microseconds: new DataView(buffer).getBigInt64(8, true),
      picture: [...new Uint8Array(buffer, 16)],
    }));
  }
}

/** An answer to a frame, with a face for each of these tracks. */
export function answer(sequence: number, tracks: number[] = [], restarted = false): FrameAnswer {
  const faces = tracks.map((track_id) => ({ track_id, box: { x: 0, y: 0, width: 100, height: 100 } }));
  return { sequence, timestamp_us: 0, dropped: 0, restarted, faces } as FrameAnswer;
}

export function problem(kind: string): ProblemDocument {
  return { type: `urn:problem-type:mfn:${kind}`, title: "title", status: 400, detail: `about ${kind}` };
}
