/** Assigns faces to tracks from frame to frame, by position and by identity, as in service/tracking/tracker.py. Boxes are
 * compared with each track's predicted box, identity coefficients with the track's running mean. Only the time between
 * frames matters, not their number. */

import { type Box, iou } from "../vision/boxes.ts";
import { IDENTITY_MODES } from "../vision/candidates.ts";
import type { FaceEstimate } from "../vision/face-estimate.ts";
import { assign } from "./assignment.ts";
import { boxOf, deviationOf, type KalmanBox, predictBox, sizeOf, startBox, updateBox } from "./kalman.ts";

/** Seconds without a face after which a track ends. */
export const MAX_AGE = 1;

const MAX_TRACKS = 200; // kept from before a frame, those with the latest faces
const MIN_IOU = 0.1; // of a face's box and a track's predicted box that overlap
const GATE_DEVIATIONS = 3; // standard deviations of a track's position within which a face without overlap may be it
const MAX_GROWTH = 0.5; // of log size, for such a face; a factor of 1.6

// Distances of identities, in standard deviations of one frame's coefficients around the track's mean.
const SAME_IDENTITY = 2; // below it: may be the same person, if the position fits roughly
const OTHER_IDENTITY = 3; // above it: another person, if the track was lost; the cost of identity is highest there

// Standard deviation of a frame's identity coefficients, in those of the face model's modes.
const INITIAL_NOISE = 0.15; // before it has been estimated in this stream
const MIN_NOISE = 0.12; // a still face shows less noise than it will have when it turns
const MAX_NOISE = 0.4;
const NOISE_SECONDS = 10; // of visible faces that the noise is estimated from
const MEAN_SECONDS = 3; // of a clearly visible face that its mean identity is taken over
const FIRST_SECONDS = 1 / 30; // weight of a track's first frame, seconds
const MAX_STEP = 0.1; // weight of any other frame at most, seconds

const IDENTITY_COST = 1; // of an identity at OTHER_IDENTITY or above; a box without overlap costs 1 to 1.5
const NEW_TRACK_COST = 1.5 + IDENTITY_COST + 0.1; // more than the cost of any track that a face may be

/** One person. motion: of the box. identity: (50,) running mean. evidence: seconds of a clearly visible face in it.
 * lastSeen: timestamp of the last face, seconds. */
interface Track {
  id: number;
  motion: KalmanBox;
  identity: Float64Array;
  evidence: number;
  lastSeen: number;
}

/** The tracks of one stream. Ids count up from 1 and are never reused. Timestamps are seconds. */
export class Tracker {
  #tracks: Track[] = []; // in ascending id
  #nextId: number;
  #noise: number; // of a frame's identity coefficients, standard deviation
  #now = Number.NEGATIVE_INFINITY; // timestamp of the last frame

  constructor(firstId = 1, noise = INITIAL_NOISE) {
    this.#nextId = firstId;
    this.#noise = noise;
  }

  /** A tracker for the same stream at another time: it has no tracks yet, and its ids go on counting. */
  restarted(): Tracker {
    return new Tracker(this.#nextId, this.#noise);
  }

  /** Ids of the tracks that have not ended, visible in the last frame or lost. */
  get alive(): number[] {
    return this.#tracks.map((track) => track.id);
  }

  /** Whether a track that has not ended had no face in the last frame. */
  get hasLostTracks(): boolean {
    return this.#tracks.some((track) => track.lastSeen < this.#now);
  }

  /** Distance of an identity from a track's mean, in standard deviations of a frame; infinite where it has ended. */
  identityDistance(identity: Float32Array, id: number): number {
    const track = this.#tracks.find((track) => track.id === id);
    return track ? this.#distance(identity, track.identity) : Number.POSITIVE_INFINITY;
  }

  /** Assigns the faces detected in a frame to tracks. Returns their ids; a face without a track starts one. */
  update(faces: readonly FaceEstimate[], timestamp: number): number[] {
    const elapsed = timestamp - this.#now;
    const tracks = this.#tracksAt(timestamp);
    const cost = faces.map((face) => tracks.map((track) => this.#cost(face, track)));
    const columns = assign(cost, tracks.length, NEW_TRACK_COST);
    const pairs: (readonly [FaceEstimate, Track])[] = [];
    const started: Track[] = [];
    const ids = faces.map((face, row) => {
      const track = tracks[columns[row] as number];
      if (track) {
        pairs.push([face, track]);
        return track.id;
      }
      started.push(startTrack(face, this.#nextId, timestamp));
      return this.#nextId++;
    });
    this.#updateTracks(tracks, pairs, timestamp, elapsed);
    this.#tracks.push(...started);
    return ids;
  }

  /** Updates the tracks of faces that were followed into a frame; these tracks must not have ended. ids: theirs. */
  follow(faces: readonly FaceEstimate[], ids: readonly number[], timestamp: number): void {
    const elapsed = timestamp - this.#now;
    const tracks = this.#tracksAt(timestamp);
    const pairs = faces.flatMap((face, i) => {
      const track = tracks.find((track) => track.id === ids[i]);
      return track ? [[face, track] as const] : [];
    });
    this.#updateTracks(tracks, pairs, timestamp, elapsed);
  }

  /** The tracks that have not ended at a later time, predicted for it. */
  #tracksAt(timestamp: number): Track[] {
    const elapsed = timestamp - this.#now;
    return this.#tracks
      .filter((track) => timestamp - track.lastSeen <= MAX_AGE)
      .sort((a, b) => b.lastSeen - a.lastSeen)
      .slice(0, MAX_TRACKS)
      .sort((a, b) => a.id - b.id)
      .map((track) => ({ ...track, motion: predictBox(track.motion, elapsed) }));
  }

  /** The cost of assigning a face to a track; infinite where that is impossible. */
  #cost(face: FaceEstimate, { motion, identity, lastSeen }: Track): number {
    const measured = startBox(face.box);
    const overlap = iou(face.box, boxOf(motion));
    const away = Math.hypot(measured.position[0] - motion.position[0], measured.position[1] - motion.position[1]);
    const distance = away / (sizeOf(motion) * deviationOf(motion) * GATE_DEVIATIONS);
    const growth = Math.abs(Math.log(sizeOf(measured) / sizeOf(motion)));
    const identityDistance = this.#distance(face.identity, identity);
    const overlaps = overlap >= MIN_IOU;
    const near = distance <= 1 && growth <= MAX_GROWTH && identityDistance <= SAME_IDENTITY;
    // The identity of a visible face may be wrong for a moment, but a face in the place of a lost one must match it.
    const otherPerson = identityDistance > OTHER_IDENTITY && lastSeen < this.#now;
    if (!(overlaps || near) || otherPerson) return Number.POSITIVE_INFINITY;
    const position = overlaps ? 1 - overlap : 1 + distance / 2;
    return position + IDENTITY_COST * Math.min(identityDistance / OTHER_IDENTITY, 1);
  }

  /** Updates tracks by their faces, and keeps the others. */
  #updateTracks(
    tracks: readonly Track[],
    pairs: readonly (readonly [FaceEstimate, Track])[],
    timestamp: number,
    elapsed: number,
  ): void {
    const step = Math.min(elapsed, MAX_STEP);
    const boxes = new Map<Track, Box>(tracks.map((track) => [track, boxOf(track.motion)]));
    const updated = new Map<Track, Track>();
    const deviations: number[] = []; // mean squares, of clearly visible faces' identities from their tracks'
    for (const [face, track] of pairs) {
      // Where two faces overlap, pixels of one may influence the estimate of the other.
      let covered = 0;
      for (const [other, box] of boxes) if (other !== track) covered = Math.max(covered, iou(face.box, box));
      const weight = face.score * (1 - covered) * step;
      const evidence = Math.min(track.evidence, MEAN_SECONDS);
      const share = weight / (evidence + weight);
      if (covered === 0 && track.lastSeen === this.#now) deviations.push(meanSquare(face.identity, track.identity));
      updated.set(track, {
        id: track.id,
        motion: updateBox(track.motion, face.box),
        identity: track.identity.map((mean, k) => mean + share * ((face.identity[k] as number) - mean)),
        evidence: evidence + weight,
        lastSeen: timestamp,
      });
    }
    this.#estimateNoise(deviations, step);
    this.#tracks = tracks.map((track) => updated.get(track) ?? track);
    this.#now = timestamp;
  }

  /** Updates the noise by the mean squares of clearly visible faces' deviations from the means of their tracks. */
  #estimateNoise(deviations: readonly number[], step: number): void {
    if (deviations.length === 0) return;
    const gain = Math.min(1, (deviations.length * step) / NOISE_SECONDS);
    const mean = deviations.reduce((sum, square) => sum + square, 0) / deviations.length;
    const variance = this.#noise ** 2 + gain * (mean - this.#noise ** 2);
    this.#noise = Math.min(MAX_NOISE, Math.max(MIN_NOISE, Math.sqrt(variance)));
  }

  /** Root mean square of the difference of two identities, in standard deviations of a frame. */
  #distance(identity: ArrayLike<number>, mean: ArrayLike<number>): number {
    return Math.sqrt(meanSquare(identity, mean)) / this.#noise;
  }
}

function startTrack(face: FaceEstimate, id: number, timestamp: number): Track {
  return {
    id,
    motion: startBox(face.box),
    identity: Float64Array.from(face.identity),
    evidence: face.score * FIRST_SECONDS,
    lastSeen: timestamp,
  };
}

function meanSquare(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < IDENTITY_MODES; k++) sum += ((a[k] as number) - (b[k] as number)) ** 2;
  return sum / IDENTITY_MODES;
}
