/** A live stream's state from one frame to the next, as in service/tracking/session.py: a frame's faces are detected or
 * followed, assigned to tracks and smoothed. Neutral faces are subtracted later, see people/neutral.ts. */

import type { Detector } from "./detector.ts";
import type { Laps } from "./timing.ts";
import { FrameTracker } from "./tracking/frame-tracker.ts";
import { Smoother } from "./tracking/smoothing.ts";
import { MAX_AGE } from "./tracking/tracker.ts";
import type { FaceEstimate } from "./vision/face-estimate.ts";
import type { Landmarks } from "./vision/landmarks.ts";
import type { Picture } from "./vision/pictures.ts";

/** A frame whose time differs by more seconds from the last one's shows that the frames' clock has jumped, or that they
 * paused: by then every track would have ended. */
const JUMP_SECONDS = MAX_AGE;

export interface SessionOptions {
  refine: boolean;
  smoothing: boolean;
}

/** A face of a frame. face: smoothed. landmarks: pixels. id: the same for a person throughout the stream, from 1, never
 * given to another. */
export interface TrackedFace {
  face: FaceEstimate;
  landmarks: Landmarks;
  id: number;
}

/** The faces of a frame in descending score; a followed face keeps that of its detection. restarted: whether tracks and
 * smoothing begin anew with it. */
export interface SessionFrame {
  faces: TrackedFace[];
  detected: boolean;
  restarted: boolean;
}

/** The state of one live stream. Wait for a frame's answer before you give it the next. */
export class Session {
  readonly #detector: Detector;
  #frameTracker: FrameTracker;
  #smoother: Smoother | undefined;
  #timestamp: number | undefined; // of the last frame

  constructor(detector: Detector, options: SessionOptions) {
    this.#detector = detector;
    this.#frameTracker = new FrameTracker(detector, options.refine);
    this.#smoother = options.smoothing ? new Smoother() : undefined;
  }

  /** Changes options from the next frame on; tracks stay. */
  configure({ refine, smoothing }: SessionOptions): void {
    this.#frameTracker.refine = refine;
    this.#smoother = smoothing ? (this.#smoother ?? new Smoother()) : undefined;
  }

  /** Whether a frame of this time may come next: it is not older than the last one, or the clock has jumped. */
  accepts(timestamp: number): boolean {
    return this.#timestamp === undefined || timestamp > this.#timestamp || this.#hasJumped(timestamp);
  }

  /** The faces of the next frame. timestamp: seconds, one that the session accepts. A frame whose promise is rejected
   * changes nothing. */
  async process(picture: Picture, timestamp: number, laps: Laps): Promise<SessionFrame> {
    const restarted = this.#hasJumped(timestamp);
    const frameTracker = restarted ? this.#frameTracker.restarted() : this.#frameTracker;
    const { faces, ids, detected } = await frameTracker.process(picture, timestamp, laps);
    this.#frameTracker = frameTracker;
    this.#timestamp = timestamp;
    this.#smoother?.keep(frameTracker.tracker.alive);
    const tracked = faces.map((face, i) => this.#tracked(face, ids[i] as number, picture, timestamp));
    laps.end("track");
    return { faces: tracked, detected, restarted };
  }

  #tracked(estimate: FaceEstimate, id: number, picture: Picture, timestamp: number): TrackedFace {
    const face = this.#smoother?.smooth(estimate, id, timestamp) ?? estimate;
    return { face, landmarks: this.#detector.landmarks.project(face, picture), id };
  }

  #hasJumped(timestamp: number): boolean {
    if (this.#timestamp === undefined) return false;
    const elapsed = timestamp - this.#timestamp;
    return elapsed <= -JUMP_SECONDS || elapsed > JUMP_SECONDS;
  }
}
