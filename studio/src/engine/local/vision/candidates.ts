/** The Multiple Face Network's raw outputs to candidate faces, and these to one a face, as in service/vision/decoding.py
 * and voting.py. Scores are decoded first; the other coefficients only where a score is high enough. */

import { alignSign, normalize, type Quaternion } from "../../../rotation.ts";
import type { Box, Groups } from "./boxes.ts";
import type { Point } from "./letterbox.ts";

export const IDENTITY_MODES = 50;
export const EXPRESSIONS = 46;

/** Height in cm of a face as large as its prior; a pose's scale is coded relative to it. */
export const FACE_HEIGHT_CM = 20;

/** Least score of a candidate that votes, relative to the best one in its group. */
export const VOTE_SCORE_RATIO = 0.25;

const BOX_VOTE_POWER = 2; // of the scores that weight boxes: a score predicts how well its box fits
const LOG_LIMIT = 4; // exp of it is 55: no face is that much larger or smaller than its prior
const MAX_CANDIDATES = 1000; // the best that are kept, so that no picture makes suppression slow
const POSE = 7; // numbers of a raw pose

/** A grid of cells of stride x stride pixels with one prior for each anchor (width, height), pixels. */
export interface Level {
  stride: number;
  anchors: readonly (readonly [width: number, height: number])[];
}

/** Centre and size in pixels of the network's input. */
export interface Prior {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The network's outputs for N priors, row by row: (N, 5), (N, 7), (N, 50), (N, 46). */
export interface RawFaces {
  detection: Float32Array;
  pose: Float32Array;
  identity: Float32Array;
  expression: Float32Array;
}

/** A scored box whose coefficients are not decoded yet. index: of its prior. */
export interface Detection {
  index: number;
  score: number;
  box: Box;
}

/** Under weak perspective. origin: pixels where the head frame's origin projects to. scale: pixels per cm. */
export interface Pose {
  quaternion: Quaternion;
  origin: Point;
  scale: number;
}

/** A face in pixels of the network's input. identity: (50,) standard deviations. expression: (46,) in [0, 1]. */
export interface Candidate {
  score: number;
  box: Box;
  pose: Pose;
  identity: Float32Array;
  expression: Float32Array;
}

/** Levels in their order, cells row by row, the anchors of a cell together. */
export function buildPriors(levels: readonly Level[], side: number): Prior[] {
  return levels.flatMap(({ stride, anchors }) => {
    const centres = Array.from({ length: Math.floor(side / stride) }, (_, i) => (i + 0.5) * stride);
    return centres.flatMap((y) => centres.flatMap((x) => anchors.map(([width, height]) => ({ x, y, width, height }))));
  });
}

/** Boxes with at least minScore, the best MAX_CANDIDATES of them, in descending score. */
export function detect(detection: Float32Array, priors: readonly Prior[], minScore: number): Detection[] {
  const threshold = minScore < 1 ? Math.log(minScore) - Math.log1p(-minScore) : Number.POSITIVE_INFINITY;
  const logit = (index: number) => detection[5 * index + 4] as number;
  const indices: number[] = [];
  for (let i = 0; i < priors.length; i++) {
    if (logit(i) >= threshold) indices.push(i); // a NaN is above no threshold
  }
  indices.sort((a, b) => logit(b) - logit(a));
  return indices.slice(0, MAX_CANDIDATES).map((index) => {
    const [dx = 0, dy = 0, logWidth = 0, logHeight = 0] = detection.subarray(5 * index, 5 * index + 4);
    const prior = priors[index] as Prior;
    const x = prior.x + dx * prior.width;
    const y = prior.y + dy * prior.height;
    const w = (prior.width * boundedExp(logWidth)) / 2;
    const h = (prior.height * boundedExp(logHeight)) / 2;
    return { index, score: Math.fround(sigmoid(logit(index))), box: [x - w, y - h, x + w, y + h] };
  });
}

/** Decodes pose and coefficients of a detection. */
export function decode(raw: RawFaces, priors: readonly Prior[], { index, score, box }: Detection): Candidate {
  return {
    score,
    box,
    pose: decodePose(raw.pose.subarray(POSE * index, POSE * (index + 1)), priors[index] as Prior),
    identity: raw.identity.slice(IDENTITY_MODES * index, IDENTITY_MODES * (index + 1)),
    expression: raw.expression.subarray(EXPRESSIONS * index, EXPRESSIONS * (index + 1)).map(sigmoid),
  };
}

/** Decodes a raw pose (7,) at a prior; one of zeros is a frontal head of the prior's size at its centre. */
export function decodePose(raw: Float32Array, prior: Prior): Pose {
  const [x = 0, y = 0, z = 0, w = 0, originX = 0, originY = 0, logScale = 0] = raw;
  const length = Math.sqrt(prior.width * prior.height);
  return {
    quaternion: normalize([x, y, z, w + 1]),
    origin: [prior.x + originX * length, prior.y + originY * length],
    scale: (length * boundedExp(logScale)) / FACE_HEIGHT_CM,
  };
}

/** Merges each group of suppression into one candidate: the weighted mean of its members, with the best score. Each
 * counts by its score, its box by the score's square. */
export function vote(candidates: readonly Candidate[], groups: Groups): Candidate[] {
  return groups.best.map((index, group) => {
    const best = candidates[index] as Candidate;
    const least = VOTE_SCORE_RATIO * best.score;
    const members = candidates.filter((candidate, i) => groups.member[i] === group && candidate.score >= least);
    const weights = shares(members.map((member) => member.score / best.score));
    const boxWeights = shares(members.map((member) => (member.score / best.score) ** BOX_VOTE_POWER));
    const mean = (value: (member: Candidate) => number) => weightedSum(members, weights, value);
    const edge = (side: 0 | 1 | 2 | 3) => weightedSum(members, boxWeights, (member) => member.box[side]);
    const turn = (part: 0 | 1 | 2 | 3) =>
      mean((member) => alignSign(best.pose.quaternion, member.pose.quaternion)[part]);
    return {
      score: best.score,
      box: [edge(0), edge(1), edge(2), edge(3)],
      pose: {
        quaternion: normalize([turn(0), turn(1), turn(2), turn(3)]),
        origin: [mean((member) => member.pose.origin[0]), mean((member) => member.pose.origin[1])],
        scale: Math.exp(mean((member) => Math.log(member.pose.scale))),
      },
      identity: best.identity.map((_, k) => mean((member) => member.identity[k] as number)),
      expression: best.expression.map((_, k) => mean((member) => member.expression[k] as number)),
    };
  });
}

/** Logistic function 1 / (1 + exp(-x)), written so that it cannot overflow. */
export function sigmoid(x: number): number {
  return (1 + Math.tanh(x / 2)) / 2;
}

function boundedExp(x: number): number {
  return Math.exp(Math.min(LOG_LIMIT, Math.max(-LOG_LIMIT, x)));
}

/** Weights whose sum is 1. */
function shares(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function weightedSum<Item>(items: readonly Item[], weights: readonly number[], value: (item: Item) => number): number {
  return items.reduce((sum, item, i) => sum + (weights[i] as number) * value(item), 0);
}
