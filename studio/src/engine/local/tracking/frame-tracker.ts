/** Finds the faces of a stream's frames and assigns them to tracks, by detection in the whole picture or by following
 * those of the last frame, as in service/tracking/frame_tracker.py. */

import { type Detector, MAX_IOU } from "../detector.ts";
import type { Laps } from "../timing.ts";
import type { FaceEstimate } from "../vision/face-estimate.ts";
import type { Picture } from "../vision/pictures.ts";
import { blend } from "../vision/refinement.ts";
import { Costs } from "./costs.ts";
import { anyLost, type FollowedFace, followed, startFollowing } from "./follow.ts";
import { differs, type SceneThumbnail, thumbnailOf } from "./scene-change.ts";
import { Tracker } from "./tracker.ts";

const DETECT_EVERY = 10; // frames that follow a detection at most, and one

/** Seconds between frames; after more than that, faces may have left their crops. The service has half of it: where a
 * detection takes longer here, the frame after it would need another one, and so on. */
const MAX_FOLLOW_GAP = 0.5;

/** Seconds after a detection in which neither a changed picture nor a lost track triggers another one. */
const MIN_DETECTION_INTERVAL = 0.1;

/** Seconds between frames that are searched for another turn of the picture, which takes a second inference. */
const TURN_SEARCH_INTERVAL = 1;

/** The faces of a frame, unsmoothed, in descending score, with the ids of their tracks. detected: in this frame, or
 * followed into it. */
export interface TrackedFrame {
  faces: readonly FaceEstimate[];
  ids: readonly number[];
  detected: boolean;
}

/** The last detection of a stream that follows. timestamp: of its frame, seconds. */
interface Detection {
  timestamp: number;
  thumbnail: SceneThumbnail;
  faces: readonly FaceEstimate[];
}

/** What the next frame needs to follow: the faces of the last frame and their tracks, `frames` after the detection. */
interface FollowState {
  detection: Detection;
  followed: readonly FollowedFace[];
  ids: readonly number[];
  timestamp: number;
  frames: number;
}

export class FrameTracker {
  readonly tracker: Tracker;
  /** Whether each face of each frame is refined; otherwise only where faces are followed, since that is cheaper. */
  refine: boolean;
  readonly #detector: Detector;
  readonly #costs = new Costs();
  #state: FollowState | undefined; // none where the next frame cannot follow
  #turn = 0; // of the network's input, at the last detection
  #searched = Number.NEGATIVE_INFINITY; // timestamp of the last frame that was searched for another turn

  constructor(detector: Detector, refine: boolean, tracker = new Tracker()) {
    this.tracker = tracker;
    this.refine = refine;
    this.#detector = detector;
  }

  /** One for the same stream at another time: it detects first, and its tracks' ids go on counting. */
  restarted(): FrameTracker {
    return new FrameTracker(this.#detector, this.refine, this.tracker.restarted());
  }

  /** Finds and tracks the faces of the next frame. timestamp: seconds. */
  async process(picture: Picture, timestamp: number, laps: Laps): Promise<TrackedFrame> {
    const thumbnail = thumbnailOf(picture);
    const state = this.#state;
    if (!state || this.#detectionIsDue(state, thumbnail, timestamp))
      return this.#detect(picture, timestamp, thumbnail, laps);
    return this.#follow(state, picture, timestamp, thumbnail, laps);
  }

  #detectionIsDue(state: FollowState, thumbnail: SceneThumbnail, timestamp: number): boolean {
    const last = state.detection;
    if (thumbnail.width !== last.thumbnail.width || thumbnail.height !== last.thumbnail.height) return true;
    if (state.frames + 1 >= DETECT_EVERY || timestamp - state.timestamp > MAX_FOLLOW_GAP) return true;
    if (!this.#followingPays(state.followed.length)) return true;
    if (timestamp - last.timestamp < MIN_DETECTION_INTERVAL) return false;
    const known = [...last.faces, ...state.followed.map(({ face }) => face)].map(({ box }) => box);
    return this.tracker.hasLostTracks || differs(thumbnail, last.thumbnail, known);
  }

  /** Whether following is cheaper. Where faces are refined in every frame anyway, it saves the detections. */
  #followingPays(faces: number): boolean {
    return this.refine || this.#costs.followingPays(faces, DETECT_EVERY);
  }

  /** Follows the faces of the last frame; detects again where one of them is lost. */
  async #follow(
    state: FollowState,
    picture: Picture,
    timestamp: number,
    thumbnail: SceneThumbnail,
    laps: Laps,
  ): Promise<TrackedFrame> {
    const { ids } = state;
    const estimates = await this.#refine(
      state.followed.map(({ face }) => face),
      picture,
      laps,
    );
    const later = state.followed.map((before, i) =>
      followed(before, estimates[i] as FaceEstimate, picture, this.#detector.landmarks),
    );
    const faces = later.map(({ face }) => face);
    const distances = faces.map((face, i) => this.tracker.identityDistance(face.identity, ids[i] as number));
    if (anyLost(state.followed, later, distances, MAX_IOU)) return this.#detect(picture, timestamp, thumbnail, laps);
    this.tracker.follow(faces, ids, timestamp);
    this.#state = { detection: state.detection, followed: later, ids, timestamp, frames: state.frames + 1 };
    return { faces, ids, detected: false };
  }

  async #detect(picture: Picture, timestamp: number, thumbnail: SceneThumbnail, laps: Laps): Promise<TrackedFrame> {
    const start = performance.now();
    const search = timestamp - this.#searched >= TURN_SEARCH_INTERVAL;
    const detected = await this.#detector.detect(picture, this.#turn, search, laps);
    this.#costs.addDetection(performance.now() - start);
    let faces = detected.faces;
    const follows = this.#followingPays(faces.length);
    if (this.refine || follows) {
      const estimates = await this.#refine(faces, picture, laps);
      // Followed faces are the Single Face Network's alone. A blend here would make them jump at each detection.
      faces = follows ? estimates : faces.map((face, i) => blend(face, estimates[i] as FaceEstimate));
    }
    const { landmarks } = this.#detector;
    const starts = follows ? faces.map((face) => startFollowing(face, picture, landmarks)) : undefined;
    const ids = this.tracker.update(faces, timestamp);
    this.#keepTurn(detected.turn, faces.length > 0, search ? timestamp : this.#searched);
    const detection = { timestamp, thumbnail, faces };
    this.#state = starts && { detection, followed: starts, ids, timestamp, frames: 0 };
    return { faces, ids, detected: true };
  }

  /** Keeps the turn of a detection for the next one. searched: timestamp of the last frame that was searched.
   *
   * A turn that shows nobody is not kept: who comes next is upright most likely. Where it has shown somebody before, the
   * picture itself has been turned perhaps, and the next frame is searched. */
  #keepTurn(turn: number, anybody: boolean, searched: number): void {
    this.#searched = this.#turn !== 0 && !anybody ? Number.NEGATIVE_INFINITY : searched;
    this.#turn = anybody ? turn : 0;
  }

  /** Refines faces and measures what it costs. */
  async #refine(faces: readonly FaceEstimate[], picture: Picture, laps: Laps): Promise<FaceEstimate[]> {
    const start = performance.now();
    const refined = await this.#detector.refine(faces, picture, laps);
    this.#costs.addRefinement(performance.now() - start, faces.length);
    return refined;
  }
}
