/** A source that is a video element: shared by cameras and files. */

import { Signal } from "../signal.ts";
import { followFrames } from "./frame-clock.ts";
import type { Source, SourceError, SourceKind } from "./source.ts";

export class VideoSource implements Source {
  readonly kind: SourceKind;
  readonly title: string;
  readonly element: HTMLVideoElement;
  onframe: ((capturedAt: number) => void) | undefined;
  readonly lost = new Signal<SourceError | undefined>(undefined);
  readonly interrupted = new Signal<SourceError | undefined>(undefined);
  readonly #release: () => void;
  readonly #stopClock: () => void;
  #active = true;

  /** element: with its first picture there. release: lets go of what it shows. */
  constructor(kind: SourceKind, title: string, element: HTMLVideoElement, release: () => void) {
    this.kind = kind;
    this.title = title;
    this.element = element;
    this.#release = release;
    this.#stopClock = followFrames(element, (capturedAt) => {
      if (this.#active) this.onframe?.(capturedAt);
    });
  }

  get size(): { width: number; height: number } {
    return { width: this.element.videoWidth, height: this.element.videoHeight };
  }

  get active(): boolean {
    return this.#active;
  }

  setActive(active: boolean): void {
    this.#active = active;
    if (active) play(this.element);
    else this.element.pause();
  }

  refresh(): void {
    // the next picture comes by itself
  }

  close(): void {
    this.#stopClock();
    this.onframe = undefined;
    this.element.pause();
    this.#release();
  }
}

/** Plays it; where the browser waits for a press, as on a phone that saves power, after the next. */
export function play(video: HTMLVideoElement): void {
  video.play().catch((error: DOMException) => {
    if (error.name !== "NotAllowedError") return; // it was paused or closed meanwhile, or has told why it cannot be read
    for (const press of ["pointerup", "keydown"]) addEventListener(press, () => play(video), { once: true });
  });
}

/** A video element that plays on the page and makes no sound. */
export function quietVideo(): HTMLVideoElement {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.disablePictureInPicture = true;
  return video;
}
