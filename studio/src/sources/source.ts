/** What the faces are looked for in: a camera, a video, a picture. */

import type { Signal } from "../signal.ts";

export type SourceKind = "film" | "camera" | "video" | "picture";

/** When opening a camera again may help: after a while, or when one is plugged in. */
export type Again = "later" | "plugged";

/** Something to look at is not there or cannot be used. */
export class SourceError extends Error {
  override readonly name = "SourceError";
  /** A few words. The message is a sentence: what is wrong, and what to do. */
  readonly title: string;
  /** undefined: when the reader has done what the message says, and asks for it again. */
  readonly again: Again | undefined;

  constructor(title: string, message: string, again?: Again) {
    super(message);
    this.title = title;
    this.again = again;
  }
}

export interface Source {
  readonly kind: SourceKind;
  /** What it is called on the page. */
  readonly title: string;
  /** Shows it; the page puts it into the inset. */
  readonly element: HTMLVideoElement | HTMLImageElement;
  /** Pixels of the picture now; 0 before there is one. */
  readonly size: { width: number; height: number };
  /** Called for each new picture, with the time of its capture in milliseconds on performance.now()'s clock. */
  onframe: ((capturedAt: number) => void) | undefined;
  /** Why it has ended by itself: a camera is unplugged, a video cannot be read on. */
  readonly lost: Signal<SourceError | undefined>;
  /** Why no pictures come for now: the system holds a camera back. */
  readonly interrupted: Signal<SourceError | undefined>;
  /** Whether it gives pictures; not while nobody looks at the page. */
  readonly active: boolean;
  setActive(active: boolean): void;
  /** The same picture may be looked at again, since the engine's options changed. Moving pictures come by themselves. */
  refresh(): void;
  /** Lets go of the camera or the file. */
  close(): void;
}
