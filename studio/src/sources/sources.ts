/** The source that is looked at: opened, changed, lost and found again. */

import { Signal } from "../signal.ts";
import { type CameraChoice, type CameraSource, listCameras, openCamera } from "./camera.ts";
import { openPicture } from "./picture.ts";
import { type Source, SourceError } from "./source.ts";
import { FILM_URL, openFilm, openVideoFile } from "./video-file.ts";

/** Milliseconds between attempts to open a camera that another program has. */
const RETRY_MS = 4000;

export interface SourcesEvents {
  /** Why the source cannot be opened, is gone, or gives no pictures for now; undefined: there is one that does. */
  problem(error: SourceError | undefined): void;
}

export class Sources {
  readonly current = new Signal<Source | undefined>(undefined);
  /** Whether a source is being opened. */
  readonly opening = new Signal(false);
  readonly #events: SourcesEvents;
  /** The camera that is waited for: it was unplugged, or another program has it. Not one that was refused. */
  #awaited: CameraChoice | undefined;
  #retry = 0;
  /** Sources that were asked for; the latest counts. */
  #wishes = 0;
  #active = true;

  constructor(events: SourcesEvents) {
    this.#events = events;
    navigator.mediaDevices?.addEventListener?.("devicechange", () => void this.#devicesChanged());
  }

  film(): Promise<boolean> {
    return this.#open(() => openFilm(new URL(FILM_URL, document.baseURI).href));
  }

  /** A video or a picture of the user's. */
  file(file: File, kind: "video" | "picture"): Promise<boolean> {
    return this.#open(() => (kind === "video" ? openVideoFile(file) : openPicture(file)));
  }

  async camera(choice: CameraChoice): Promise<boolean> {
    // A camera is let go of before it is opened in another size: some have one user only.
    if (this.current.value?.kind === "camera") this.#show(undefined);
    const opened = await this.#open(() => openCamera(choice), choice);
    return opened;
  }

  /** Whether anybody looks at the page. */
  setActive(active: boolean): void {
    this.#active = active;
    this.current.value?.setActive(active);
  }

  /** Whether it became the source. Where it cannot be opened, the one before stays. */
  async #open(open: () => Promise<Source>, camera?: CameraChoice): Promise<boolean> {
    const wish = ++this.#wishes;
    clearTimeout(this.#retry);
    this.#awaited = undefined;
    this.opening.value = true;
    try {
      const source = await open();
      if (wish !== this.#wishes) {
        source.close(); // another was asked for meanwhile
        return false;
      }
      this.#show(source);
      source.lost.follow((error) => error && this.#lost(source, error, camera));
      source.interrupted.follow((error) => {
        if (this.current.value === source) this.#events.problem(error);
      });
      return true;
    } catch (error) {
      if (wish === this.#wishes) this.#failed(error, camera);
      return false;
    } finally {
      if (wish === this.#wishes) this.opening.value = false;
    }
  }

  #show(source: Source | undefined): void {
    const before = this.current.value;
    this.current.value = source;
    before?.close();
    if (!this.#active) source?.setActive(false);
  }

  #failed(error: unknown, camera: CameraChoice | undefined): void {
    const problem =
      error instanceof SourceError
        ? error
        : new SourceError("The source cannot be opened", `${error}. Choose another.`);
    this.#events.problem(problem);
    this.#awaited = problem.again && camera;
    if (camera && problem.again === "later") this.#retry = window.setTimeout(() => void this.camera(camera), RETRY_MS);
  }

  #lost(source: Source, error: SourceError, camera: CameraChoice | undefined): void {
    if (this.current.value !== source) return;
    const device = camera ? (source as CameraSource).device : "";
    this.#show(undefined);
    this.#events.problem(error);
    this.#awaited = camera && { ...camera, device };
  }

  /** Opens the camera that is waited for, when it is there. */
  async #devicesChanged(): Promise<void> {
    const awaited = this.#awaited;
    if (!awaited) return;
    const cameras = await listCameras();
    const found = awaited.device ? cameras.some(({ deviceId }) => deviceId === awaited.device) : cameras.length > 0;
    if (found && this.#awaited === awaited) await this.camera(awaited);
  }
}
