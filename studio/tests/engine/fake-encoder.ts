/** The worker that encodes pictures, whose other side is the test. */

import { vi } from "vitest";
import type { EncodeAnswer, EncodeRequest } from "../../src/engine/encoder-worker.ts";

export class FakeWorker {
  static all: FakeWorker[] = [];
  /** The JPEG file of each picture; undefined: the test answers. */
  static jpeg: ArrayBuffer | undefined;
  readonly requests: EncodeRequest[] = [];
  terminated = false;
  onmessage: ((event: { data: EncodeAnswer }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;

  constructor() {
    FakeWorker.all.push(this);
  }

  static get latest(): FakeWorker {
    const worker = FakeWorker.all.at(-1);
    if (!worker) throw new Error("no worker was started");
    return worker;
  }

  postMessage(request: EncodeRequest): void {
    this.requests.push(request);
    const { jpeg } = FakeWorker;
    if (jpeg) queueMicrotask(() => this.onmessage?.({ data: { jpeg } }));
  }

  terminate(): void {
    this.terminated = true;
  }
}

/** Puts it in place of the browser's, until vi.unstubAllGlobals(). */
export function fakeEncoder(): void {
  FakeWorker.all = [];
  FakeWorker.jpeg = undefined;
  vi.stubGlobal("Worker", FakeWorker);
  vi.stubGlobal("createImageBitmap", async () => ({ close: vi.fn() }));
}

export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
