/** A browser's cameras and videos, as far as sources ask for them. The test does what the reader and the system do. */

import { vi } from "vitest";

export class FakeTrack {
  readonly label = "Front camera";
  readonly device: string;
  readyState = "live";
  muted = false;
  onended: (() => void) | null = null;
  onmute: (() => void) | null = null;
  onunmute: (() => void) | null = null;

  constructor(device: string) {
    this.device = device;
  }

  getSettings() {
    return { deviceId: this.device };
  }

  stop(): void {
    this.readyState = "ended";
  }

  unplug(): void {
    this.stop();
    this.onended?.();
  }

  hold(muted: boolean): void {
    this.muted = muted;
    if (muted) this.onmute?.();
    else this.onunmute?.();
  }
}

/** What plays. It begins to play when it is told to, unless the reader has to press something first. */
export class FakeVideo {
  static latest: FakeVideo;
  static mayPlay = true;
  videoWidth = 640;
  videoHeight = 480;
  playing = false;
  src = "";
  srcObject: unknown;
  error: { code: number } | null = null;
  onloadeddata: (() => void) | null = null;
  onprogress: (() => void) | null = null;
  onerror: (() => void) | null = null;
  #onframe: ((now: number, metadata: object) => void) | undefined;

  constructor() {
    FakeVideo.latest = this;
  }

  async play(): Promise<void> {
    if (!FakeVideo.mayPlay) throw new DOMException("press first", "NotAllowedError");
    this.playing = true;
  }

  pause(): void {
    this.playing = false;
  }

  load(): void {}

  removeAttribute(name: "src"): void {
    this[name] = "";
  }

  requestVideoFrameCallback(onframe: (now: number, metadata: object) => void): number {
    this.#onframe = onframe;
    return 1;
  }

  cancelVideoFrameCallback(): void {
    this.#onframe = undefined;
  }

  /** Shows a new picture. */
  show(now: number): void {
    this.#onframe?.(now, {});
  }

  fail(code: number): void {
    this.error = { code };
    this.onerror?.();
  }
}

/** The cameras that are plugged in. */
export class FakeCameras extends EventTarget {
  devices: string[] = ["front"];
  /** Name of the exception that opening one ends with. */
  refuses: string | undefined;
  /** Cameras that were opened, the latest last. */
  readonly opened: FakeTrack[] = [];
  /** How often one was asked for. */
  asked = 0;

  async enumerateDevices() {
    return this.devices.map((deviceId) => ({ kind: "videoinput", deviceId, label: deviceId }));
  }

  async getUserMedia({ video }: { video: { deviceId?: { exact: string } } }) {
    this.asked++;
    if (this.refuses) throw new DOMException("", this.refuses);
    const device = video.deviceId?.exact ?? this.devices[0];
    if (!device || !this.devices.includes(device)) throw new DOMException("", "NotFoundError");
    const track = new FakeTrack(device);
    this.opened.push(track);
    return { getTracks: () => [track], getVideoTracks: () => [track] };
  }

  get latest(): FakeTrack {
    const track = this.opened.at(-1);
    if (!track) throw new Error("no camera was opened");
    return track;
  }

  /** From now on these are plugged in. */
  plug(...devices: string[]): void {
    this.devices = devices;
    this.dispatchEvent(new Event("devicechange"));
  }
}

/** Puts them where the sources look for a browser's, until vi.unstubAllGlobals(). */
export function fakeBrowser(): { cameras: FakeCameras; press: () => void } {
  const cameras = new FakeCameras();
  const page = new EventTarget();
  FakeVideo.mayPlay = true;
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("navigator", { mediaDevices: cameras });
  vi.stubGlobal("document", { baseURI: "http://host/studio/", createElement: () => new FakeVideo() });
  vi.stubGlobal("MediaError", { MEDIA_ERR_NETWORK: 2 });
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  const press = () => {
    FakeVideo.mayPlay = true;
    page.dispatchEvent(new Event("pointerup"));
  };
  return { cameras, press };
}

/** Waits until all is done that waits for nothing else. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
