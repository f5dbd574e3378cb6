/** What the faces are looked for in: a camera, a video, a picture. */

export type SourceKind = "film" | "camera" | "video" | "picture";

/** Something to look at is not there or cannot be used. */
export class SourceError extends Error {
  override readonly name = "SourceError";
  /** A few words. The message is a sentence: what is wrong, and what to do. */
  readonly title: string;
  /** Whether it may pass by itself, so that trying again helps. */
  readonly passing: boolean;

  constructor(title: string, message: string, passing = false) {
    super(message);
    this.title = title;
    this.passing = passing;
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
  /** Called once where it ends by itself: a camera is unplugged, a video cannot be read on. */
  onlost: ((error: SourceError) => void) | undefined;
  /** Gives pictures, or none: nobody looks at the page. */
  setActive(active: boolean): void;
  /** The same picture may be looked at again, since the engine's options changed. Moving pictures come by themselves. */
  refresh(): void;
  /** Lets go of the camera or the file. */
  close(): void;
}
