/** window.mfnStudio: a small read-only handle for scripts and tests. */

import type { EngineMode, EngineState } from "../engine/engine.ts";
import type { SourceKind } from "../sources/source.ts";
import type { CharacterState } from "../stage/stage.ts";

export interface StudioHandle {
  /** Where faces are found, and whether frames are taken there. */
  readonly mode: EngineMode;
  readonly state: EngineState;
  /** What is looked at; undefined where nothing is. */
  readonly source: SourceKind | undefined;
  /** What each character does at the latest display frame. */
  readonly states: readonly CharacterState[];
  /** Who is there; seen: in the latest answer. */
  readonly people: readonly { readonly number: number; readonly character: string; readonly seen: boolean }[];
  /** Answers since the page was opened. */
  readonly answers: number;
  readonly figures: {
    /** Display frames and answers a second. */
    readonly fps: number;
    readonly answersPerSecond: number;
    /** Medians, milliseconds: from a frame's capture to its being shown, and to its answer. undefined before any. */
    readonly latency: number | undefined;
    readonly roundTrip: number | undefined;
    /** Frames that were given up since a newer one came first. */
    readonly dropped: number;
  };
}

declare global {
  interface Window {
    readonly mfnStudio: StudioHandle;
  }
}

/** Puts the handle onto the window. */
export function expose(handle: StudioHandle): void {
  Object.defineProperty(window, "mfnStudio", { value: Object.freeze(handle), enumerable: true });
}
