/** A picture from a file. It is looked at once, and again when the options change. */

import { Signal } from "../signal.ts";
import { type Source, SourceError } from "./source.ts";

/** Frames that are sent for one look: enough for tracks to be sure, filters to settle, a resting face to be taken, and
 * whoever was in the source before to leave, which takes two seconds. */
const FRAMES = 24;
const FRAME_MS = 100;

export class PictureSource implements Source {
  readonly kind = "picture";
  readonly title: string;
  readonly element: HTMLImageElement;
  #onframe: ((capturedAt: number) => void) | undefined;
  readonly lost = new Signal<SourceError | undefined>(undefined);
  readonly interrupted = new Signal<SourceError | undefined>(undefined);
  readonly #url: string;
  #left = 0;
  #timer = 0;
  #active = true;

  constructor(title: string, element: HTMLImageElement, url: string) {
    this.title = title;
    this.element = element;
    this.#url = url;
  }

  get size(): { width: number; height: number } {
    return { width: this.element.naturalWidth, height: this.element.naturalHeight };
  }

  get onframe(): ((capturedAt: number) => void) | undefined {
    return this.#onframe;
  }

  set onframe(onframe: ((capturedAt: number) => void) | undefined) {
    this.#onframe = onframe;
    this.refresh();
  }

  get active(): boolean {
    return this.#active;
  }

  /** Goes on with a look; what was looked at is still the same. */
  setActive(active: boolean): void {
    this.#active = active;
    if (!this.#timer) this.#next();
  }

  refresh(): void {
    this.#left = FRAMES;
    if (!this.#timer) this.#next();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#left = 0;
    this.#onframe = undefined;
    URL.revokeObjectURL(this.#url);
  }

  #next(): void {
    this.#timer = 0;
    if (!this.#left || !this.#active || !this.#onframe) return;
    this.#left--;
    this.#onframe(performance.now());
    this.#timer = window.setTimeout(() => this.#next(), FRAME_MS);
  }
}

/** Opens a picture file. Rejects with SourceError. */
export async function openPicture(file: File): Promise<PictureSource> {
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.alt = "";
  image.draggable = false;
  image.src = url;
  try {
    await image.decode();
  } catch {
    URL.revokeObjectURL(url);
    throw new SourceError(
      "This browser cannot show the picture",
      `${file.name} is no picture that this browser reads. Choose a JPEG, PNG or WebP file.`,
    );
  }
  return new PictureSource(file.name, image, url);
}
