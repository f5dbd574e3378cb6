/** The characters as a video. */

import type { RecordedFile } from "./motion.ts";
import { withDuration } from "./webm-duration.ts";

/** In the order of preference: smaller files first. */
const TYPES = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"] as const;
const FRAMES_A_SECOND = 30;
const BITS_A_SECOND = 8_000_000;
const PIECE_MS = 1000;

/** The type that this browser records, undefined where it records none. */
export function videoType(): string | undefined {
  if (typeof MediaRecorder === "undefined") return undefined;
  return TYPES.find((type) => MediaRecorder.isTypeSupported(type));
}

export class StageVideo {
  readonly #recorder: MediaRecorder;
  readonly #stream: MediaStream;
  readonly #stopped: Promise<void>;
  readonly #pieces: Blob[] = [];
  readonly #since = performance.now();
  #duration = 0; // milliseconds, when it is stopped
  #size = 0;
  #asked = false; // to stop
  #reason = "";

  /** capture: the stage's pictures at a rate. ended: called when the browser ends the recording of its own accord, with
   * its reason, which may be empty. Throws where the browser cannot record them. */
  constructor(capture: (framesPerSecond: number) => MediaStream, type: string, ended: (reason: string) => void) {
    this.#stream = capture(FRAMES_A_SECOND);
    try {
      this.#recorder = new MediaRecorder(this.#stream, { mimeType: type, videoBitsPerSecond: BITS_A_SECOND });
      this.#recorder.start(PIECE_MS);
    } catch (error) {
      this.#release();
      throw error;
    }
    this.#recorder.ondataavailable = ({ data }) => {
      if (!data.size) return;
      this.#pieces.push(data);
      this.#size += data.size;
    };
    this.#recorder.onerror = ({ error }) => {
      this.#reason = error instanceof Error ? error.message : "";
      this.#end(); // not every browser does so itself
    };
    this.#stopped = new Promise((resolve) => {
      this.#recorder.onstop = () => {
        this.#duration = performance.now() - this.#since;
        this.#release();
        resolve();
        if (!this.#asked) ended(this.#reason);
      };
    });
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Ends the recording. name: what the file's name begins with. Resolves to undefined where nothing was recorded. */
  async stop(name: string): Promise<RecordedFile | undefined> {
    this.#asked = true;
    this.#end();
    await this.#stopped;
    if (!this.#size) return undefined;
    const type = this.#recorder.mimeType.split(";")[0] ?? "video/webm";
    const content = new Blob(this.#pieces, { type });
    if (type.endsWith("mp4")) return { name: `${name}.mp4`, content };
    return { name: `${name}.webm`, content: await withDuration(content, this.#duration) };
  }

  #end(): void {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }

  #release(): void {
    for (const track of this.#stream.getTracks()) track.stop();
  }
}
