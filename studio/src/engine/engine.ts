/** What the page asks of whatever finds the faces: the service (server.ts), or this browser itself (local/). */

import type { Face, Model, Problem } from "mfn-client";

/** Where the faces are found. In local mode no picture leaves the machine. */
export type EngineMode = "server" | "local";

/** What the faces of a stream are told with. */
export interface EngineOptions {
  /** A second network looks at each face: more accurate, with gaze, slower. */
  refine: boolean;
  /** Boxes, poses and coefficients are filtered (One Euro). */
  smoothing: boolean;
  /** Identity coefficients are told, which the mesh over the camera's picture needs. */
  identity: boolean;
  /** An API key, where the server asks for one; empty otherwise. */
  key: string;
}

/** The faces of one frame. */
export interface FrameAnswer {
  faces: Face[];
  /** Pixels of the frame that the boxes and landmarks refer to. */
  image: { width: number; height: number };
  /** Milliseconds on performance.now()'s clock: when the frame was captured, and when its answer was there. */
  capturedAt: number;
  answeredAt: number;
  /** Milliseconds of each step, by the names of the API's timing_ms. */
  timing: Readonly<Record<string, number>>;
  /** Frames that were given up since the answer before. */
  dropped: number;
  /** True where tracks begin anew, since the frames' clock jumped. */
  restarted: boolean;
}

/** connecting: at first, and again after a loss. open: frames are taken. closed: after a failure that trying again does
 * not mend; a problem tells which. */
export type EngineState = "connecting" | "open" | "closed";

/** What an engine tells while it is open. */
export interface EngineEvents {
  answer(answer: FrameAnswer): void;
  /** A sentence for the reader lies in problem.detail. */
  problem(problem: Problem): void;
  state(state: EngineState): void;
}

/** Finds the faces of frames, one frame at a time. */
export interface Engine {
  readonly mode: EngineMode;
  /** The model that answers, from the first time that the engine is open. */
  readonly model: Model | undefined;
  /** Whether a frame would be taken now: open, and none on its way. */
  readonly ready: boolean;
  /** Connects or loads the networks. Call once. */
  open(options: EngineOptions, events: EngineEvents): void;
  /** Sends what the source shows now. capturedAt: milliseconds on performance.now()'s clock. Frames that come while
   * another is on its way are dropped and counted. */
  submit(source: CanvasImageSource, width: number, height: number, capturedAt: number): void;
  /** Changes options; tracks may begin anew. */
  configure(options: EngineOptions): void;
}
