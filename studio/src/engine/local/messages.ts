/** What the page and the worker of local mode tell each other. */

import type { Face, Model, Problem } from "mfn-client";
import type { SessionOptions } from "./session.ts";
import type { Step } from "./timing.ts";

/** How faces are told. identity: whether with their identity coefficients. */
export interface WorkerOptions extends SessionOptions {
  identity: boolean;
}

/** A frame. width, height: pixels that boxes and landmarks are told in; the picture may have others. capturedAt, sentAt:
 * milliseconds since the Unix epoch, on a clock that never jumps. */
export interface FrameMessage {
  type: "frame";
  picture: VideoFrame | ImageBitmap;
  width: number;
  height: number;
  capturedAt: number;
  sentAt: number;
}

/** base: the page's URL, against which the files' lie. */
export type ToWorker =
  | { type: "open"; base: string; options: WorkerOptions }
  | { type: "configure"; options: WorkerOptions }
  | FrameMessage;

/** The answer to a frame. */
export interface AnswerMessage {
  type: "answer";
  faces: Face[];
  timing: Readonly<Partial<Record<Step, number>>>;
  restarted: boolean;
}

/** skipped: a frame is not newer than the last one, and gets no answer. problem: the worker has failed for good. */
export type FromWorker =
  | { type: "open"; model: Model }
  | AnswerMessage
  | { type: "skipped" }
  | { type: "problem"; problem: Problem };
