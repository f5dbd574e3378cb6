/** Records the characters and their motion, from one press of a key to the next. */

import type { FrameAnswer } from "../engine/engine.ts";
import type { Seen } from "../people/people.ts";
import { Signal } from "../signal.ts";
import { download, recordingName } from "./files.ts";
import { LONGEST_GAP } from "./live-link-csv.ts";
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

interface Running {
  motion: Motion;
  video: StageVideo | undefined;
  since: number;
  name: string;
  timer: ReturnType<typeof setInterval>;
}

export class Recorder {
  /** undefined while nothing is recorded. */
  readonly progress = new Signal<Progress | undefined>(undefined);
  #running: Running | undefined;
  readonly #capture: (framesPerSecond: number) => MediaStream;
  readonly #tell: (sentence: string) => void;

  /** capture: the stage as a video. tell: says a sentence to the reader. */
  constructor(capture: (framesPerSecond: number) => MediaStream, tell: (sentence: string) => void) {
    this.#capture = capture;
    this.#tell = tell;
  }

  start(formats: Formats): void {
    if (this.#running) return;
    const video = formats.video ? this.#startVideo() : undefined;
    if (!video && !formats.jsonLines && !formats.csv) {
      if (!formats.video)
        this.#tell("Nothing is chosen to be recorded. Choose a format in the menu beside the button.");
      return;
    }
    const now = performance.now();
    this.#running = {
      motion: new Motion(formats, Date.now() - now),
      video,
      since: now,
      name: recordingName(new Date()),
      timer: setInterval(() => this.#tick(), TICK_MS),
    };
    addEventListener("beforeunload", askBeforeLeaving);
    this.#tick();
  }

  add(answer: FrameAnswer, seen: readonly Seen[]): void {
    this.#running?.motion.add(answer, seen);
  }

  /** Ends the recording, and saves it. Resolves to the number of its files. */
  async stop(): Promise<number> {
    const running = this.#running;
    if (!running) return 0;
    this.#running = undefined;
    clearInterval(running.timer);
    this.progress.value = undefined;
    const video = await running.video?.stop(running.name);
    const { files, rowless } = running.motion.files(running.name);
    if (rowless.length) this.#tell(noRows(rowless));
    if (video) files.unshift(video);
    for (const file of files) download(file);
    if (!this.#running) removeEventListener("beforeunload", askBeforeLeaving);
    return files.length;
  }

  #startVideo(): StageVideo | undefined {
    const type = videoType();
    try {
      if (type) return new StageVideo(this.#capture, type, (reason) => void this.#videoEnded(reason));
    } catch {
      // told below
    }
    this.#tell("This browser cannot record the stage as video. Choose a motion format, or another browser.");
    return undefined;
  }

  async #videoEnded(reason: string): Promise<void> {
    const files = await this.stop();
    const why = reason && ` (${reason})`;
    const kept = files ? "What was recorded until then was saved." : "Nothing was recorded until then.";
    this.#tell(`The browser has stopped recording the video${why}. ${kept} Start another recording to go on.`);
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

/** What is said of people of whom there is no CSV. */
function noRows(people: readonly number[]): string {
  const who = people.length > 1 ? `persons ${people.join(", ")}` : `person ${people[0]}`;
  return (
    `No Live Link Face CSV was saved of ${who}: they were seen once only, or answers came more than ${LONGEST_GAP} s ` +
    "apart, and nothing is interpolated over that. Record JSON lines, or switch off refine."
  );
}

/** Has the browser ask whether to leave the page, where the recording would be lost. */
function askBeforeLeaving(event: Event): void {
  event.preventDefault();
}
