/** The way from a picture to faces: to the networks' inputs, to candidates, to faces, to refined faces, as in
 * service/inference/pipeline.py. */

import type { Networks } from "./networks.ts";
import type { Laps } from "./timing.ts";
import { suppress } from "./vision/boxes.ts";
import {
  buildPriors,
  type Candidate,
  decode,
  detect,
  type Level,
  type Prior,
  VOTE_SCORE_RATIO,
  vote,
} from "./vision/candidates.ts";
import { type Crop, cropAround, sampleCrop } from "./vision/crops.ts";
import { type FaceEstimate, place } from "./vision/face-estimate.ts";
import type { LandmarkModel } from "./vision/landmarks.ts";
import { fitLetterbox, type Letterbox, letterboxed } from "./vision/letterbox.ts";
import { averaged, isTurned, mirrored, mirrorPartners } from "./vision/mirroring.ts";
import type { Picture } from "./vision/pictures.ts";
import { type RawLook, refined } from "./vision/refinement.ts";
import { bestScore, MIN_VOTE_SCORE, nextTurn, turnDetectionBack, turnPoseBack, turnSquare } from "./vision/turns.ts";
import type { UpsideDown } from "./vision/upside-down.ts";

/** Boxes that overlap by more than this (IoU) are one face. */
export const MAX_IOU = 0.5;

/** Least side of a face's box in pixels of the picture: fewer cannot show a face. */
const MIN_FACE_PIXELS = 6;

/** What the networks are fed with, from their manifest. upsideDown: where it has been fitted to the networks. */
export interface NetworkFacts {
  side: number;
  levels: readonly Level[];
  cropFactor: number;
  expressionNames: readonly string[];
  upsideDown: UpsideDown | undefined;
}

export interface DetectorOptions {
  minScore: number;
  maxFaces: number;
}

/** The service's least score, and half its number of faces: each costs a run of the second network on this machine. */
export const DEFAULT_OPTIONS: DetectorOptions = { minScore: 0.5, maxFaces: 10 };

/** Faces in descending score. turn: of the network's input, in which they were found. */
export interface Detected {
  faces: FaceEstimate[];
  turn: number;
}

/** Detects and describes the faces of pictures. It holds no state between pictures. */
export class Detector {
  readonly landmarks: LandmarkModel;
  readonly #networks: Networks;
  readonly #facts: NetworkFacts;
  readonly #priors: Prior[];
  readonly #partners: number[];
  readonly #options: DetectorOptions;

  constructor(networks: Networks, facts: NetworkFacts, landmarks: LandmarkModel, options = DEFAULT_OPTIONS) {
    this.landmarks = landmarks;
    this.#networks = networks;
    this.#facts = facts;
    this.#options = options;
    this.#priors = buildPriors(facts.levels, facts.side);
    this.#partners = mirrorPartners(facts.expressionNames);
  }

  /** The faces that the Multiple Face Network finds. turn: that its input is turned by at first, see turns.ts. search:
   * whether another turn is tried where the faces call for it. */
  async detect(picture: Picture, turn: number, search: boolean, laps: Laps): Promise<Detected> {
    const letterbox = fitLetterbox(picture.width, picture.height, this.#facts.side);
    const square = letterboxed(letterbox, picture);
    let candidates = await this.#candidates(square, turn, laps);
    const other = search ? nextTurn(candidates, turn, this.#facts.upsideDown) : turn;
    let found = turn;
    if (other !== turn) {
      const turned = await this.#candidates(square, other, laps);
      if (bestScore(turned) > bestScore(candidates)) {
        candidates = turned;
        found = other;
      }
    }
    const faces = this.#faces(candidates, letterbox);
    laps.end("postprocess");
    return { faces, turn: found };
  }

  /** The Single Face Network's estimates of faces alone, without a blend; boxes and scores stay. faces: detected in this
   * picture or in a frame shortly before it. */
  async refine(faces: readonly FaceEstimate[], picture: Picture, laps: Laps): Promise<FaceEstimate[]> {
    if (faces.length === 0) return [];
    const crops = faces.map((face) => this.#crop(face, picture));
    const inputs = crops.map((crop) => sampleCrop(crop, picture));
    const turned = faces.flatMap((face, i) => (isTurned(face.quaternion) ? [i] : []));
    inputs.push(...turned.map((i) => mirrored(inputs[i] as Uint8Array)));
    laps.end("preprocess");
    const looks = await this.#networks.look(inputs);
    laps.end("refine");
    for (const [k, i] of turned.entries()) {
      looks[i] = averaged(looks[i] as RawLook, looks[faces.length + k] as RawLook, this.#partners);
    }
    const result = faces.map((face, i) => refined(face, crops[i] as Crop, looks[i] as RawLook, picture));
    laps.end("postprocess");
    return result;
  }

  #crop(face: FaceEstimate, picture: Picture): Crop {
    return cropAround(this.landmarks.project(face, picture), face.quaternion, this.#facts.cropFactor);
  }

  /** The candidates in the network's input, turned; their boxes and poses are in the input as it was. */
  async #candidates(square: Uint8Array, turn: number, laps: Laps): Promise<Candidate[]> {
    const { side } = this.#facts;
    const input = turnSquare(square, side, turn);
    laps.end("preprocess");
    const raw = await this.#networks.detect(input);
    laps.end("inference");
    // Faces and turn must not depend on the requested score, so candidates below it still vote.
    const least = Math.min(VOTE_SCORE_RATIO * this.#options.minScore, MIN_VOTE_SCORE);
    return detect(raw.detection, this.#priors, least).map((detection) =>
      turnPoseBack(decode(raw, this.#priors, turnDetectionBack(detection, side, turn)), side, turn),
    );
  }

  #faces(candidates: readonly Candidate[], letterbox: Letterbox): FaceEstimate[] {
    const { minScore, maxFaces } = this.#options;
    return facesOf(candidates, letterbox, minScore, MAX_IOU, maxFaces);
  }
}

/** The faces in the picture that the letterbox holds, in descending score, of candidates in the network's input. */
export function facesOf(
  candidates: readonly Candidate[],
  letterbox: Letterbox,
  minScore: number,
  maxIou: number,
  maxFaces: number,
  fieldOfView?: number,
): FaceEstimate[] {
  const eligible = candidates.filter(({ score }) => score >= Math.fround(minScore)).length;
  const groups = suppress(
    candidates.map(({ box }) => box),
    maxIou,
    maxFaces,
    eligible,
  );
  return vote(candidates, groups)
    .map((candidate) => place(candidate, letterbox, fieldOfView))
    .filter(({ box: [x1, y1, x2, y2] }) => Math.min(x2 - x1, y2 - y1) >= MIN_FACE_PIXELS);
}
