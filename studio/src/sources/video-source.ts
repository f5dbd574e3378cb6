/** A source that is a video element: shared by cameras and files. */

import { followFrames } from "./frame-clock.ts";
import type { Source, SourceError, SourceKind } from "./source.ts";

export class VideoSource implements Source {
  readonly kind: SourceKind;
  readonly title: string;
  readonly element: HTMLVideoElement;
  onframe: ((capturedAt: number) => void) | undefined;
  onlost: ((error: SourceError) => void) | undefined;
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

  setActive(active: boolean): void {
    this.#active = active;
    if (active) void this.element.play().catch(() => undefined);
    else this.element.pause();
  }

  refresh(): void {
    // the next picture comes by itself
  }

  close(): void {
    this.#stopClock();
    this.onframe = undefined;
    this.onlost = undefined;
    this.element.pause();
    this.#release();
  }
}

/** A video element that plays on the page and makes no sound. */
export function quietVideo(): HTMLVideoElement {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.disablePictureInPicture = true;
  return video;
}
