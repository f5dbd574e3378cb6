/** Records the characters and their motion, from one press of a key to the next. */

import type { FrameAnswer } from "../engine/engine.ts";
import type { Seen } from "../people/people.ts";
import { Signal } from "../signal.ts";
import { download, recordingName } from "./files.ts";
import { Motion, type MotionFormats } from "./motion.ts";
import { StageVideo, videoType } from "./stage-video.ts";

export interface Formats extends MotionFormats {
  video: boolean;
}

/** A recording that is going on. */
export interface Progress {
  milliseconds: number;
  bytes: number;
}

/** A recording stops by itself here: a browser's tab holds it in memory. */
export const MAX_MS = 30 * 60_000;
export const MAX_BYTES = 500e6;

const TICK_MS = 500;

export class Recorder {
  /** undefined while nothing is recorded. */
  readonly progress = new Signal<Progress | undefined>(undefined);
  #running: { motion: Motion; video: StageVideo | undefined; since: number; name: string; timer: number } | undefined;
  readonly #capture: (framesPerSecond: number) => MediaStream;
  readonly #tell: (sentence: string) => void;

  /** capture: the stage as a video. tell: says a sentence to the reader. */
  constructor(capture: (framesPerSecond: number) => MediaStream, tell: (sentence: string) => void) {
    this.#capture = capture;
    this.#tell = tell;
  }

  start(formats: Formats): void {
    if (this.#running) return;
    const type = formats.video ? videoType() : undefined;
    if (formats.video && !type)
      this.#tell("This browser cannot record video. Choose a motion format, or another browser.");
    if (!type && !formats.jsonLines && !formats.csv) {
      if (!formats.video)
        this.#tell("Nothing is chosen to be recorded. Choose a format in the menu beside the button.");
      return;
    }
    let video: StageVideo | undefined;
    try {
      video = type ? new StageVideo(this.#capture, type) : undefined;
    } catch {
      this.#tell("This browser cannot record the stage. Choose a motion format, or another browser.");
      return;
    }
    const now = performance.now();
    this.#running = {
      motion: new Motion(formats, Date.now() - now),
      video,
      since: now,
      name: recordingName(new Date()),
      timer: window.setInterval(() => this.#tick(), TICK_MS),
    };
    this.#tick();
  }

  add(answer: FrameAnswer, seen: readonly Seen[]): void {
    this.#running?.motion.add(answer, seen);
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (!running) return;
    this.#running = undefined;
    clearInterval(running.timer);
    this.progress.value = undefined;
    const video = running.video ? [await running.video.stop(running.name)] : [];
    for (const file of [...video, ...running.motion.files(running.name)]) download(file);
  }

  #tick(): void {
    const running = this.#running;
    if (!running) return;
    const milliseconds = performance.now() - running.since;
    const bytes = running.motion.size + (running.video?.size ?? 0);
    this.progress.value = { milliseconds, bytes };
    if (milliseconds < MAX_MS && bytes < MAX_BYTES) return;
    const limit = milliseconds < MAX_MS ? `${MAX_BYTES / 1e6} MB` : `${MAX_MS / 60_000} minutes`;
    this.#tell(`The recording has reached ${limit} and was saved. Start another one to go on.`);
    void this.stop();
  }
}
