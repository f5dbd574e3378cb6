/** Quarter turns of the Multiple Face Network's input, for people who lie down or stand on their heads, as in
 * service/vision/turns.py. A turn is a number of quarter turns, clockwise as seen, 0 to 3, that the input is turned by. */

import { multiply, normalize, turnInPlane, twistAngle } from "../../../rotation.ts";
import type { Box } from "./boxes.ts";
import type { Candidate, Detection } from "./candidates.ts";
import type { Point } from "./letterbox.ts";
import { logOddsOf, type UpsideDown } from "./upside-down.ts";

/** Least score of candidates that tell how faces are turned; below, most are no faces. */
export const MIN_VOTE_SCORE = 0.2;

const UPRIGHT_SCORE = 0.75; // best score of a picture below which its faces may be upside down
/** Least log odds with which such a picture is inferred upside down. */
const UPSIDE_DOWN_LOG_ODDS = Math.log(0.2 / 0.8);
const TURNS = 4;

/** The network's input, RGB (side, side, 3), turned. */
export function turnSquare(square: Uint8Array, side: number, turn: number): Uint8Array {
  if (turn === 0) return square;
  const turned = new Uint8Array(square.length);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [u, v] = turnPixel(x, y, side, turn);
      const source = (v * side + u) * 3;
      turned.set(square.subarray(source, source + 3), (y * side + x) * 3);
    }
  }
  return turned;
}

/** The pixel of the input as it was that lies at (x, y) of the turned one. */
function turnPixel(x: number, y: number, side: number, turn: number): readonly [number, number] {
  const last = side - 1;
  if (turn === 1) return [y, last - x];
  return turn === 2 ? [last - x, last - y] : [last - y, x];
}

/** A detection in a turned input of side pixels, in the input as it was. */
export function turnDetectionBack(detection: Detection, side: number, turn: number): Detection {
  if (turn === 0) return detection;
  const [x1, y1, x2, y2] = detection.box;
  const [a, b] = [turnBack([x1, y1], side, turn), turnBack([x2, y2], side, turn)];
  const box: Box = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  return { ...detection, box };
}

/** A candidate whose pose is in a turned input of side pixels, in the input as it was. Its box is there already. */
export function turnPoseBack(candidate: Candidate, side: number, turn: number): Candidate {
  if (turn === 0) return candidate;
  const { quaternion, origin, scale } = candidate.pose;
  const upright = normalize(multiply(normalize(turnInPlane(90 * turn)), quaternion));
  return { ...candidate, pose: { quaternion: upright, origin: turnBack(origin, side, turn), scale } };
}

/** A point of the turned input, in the input as it was. */
function turnBack([x, y]: Point, side: number, turn: number): Point {
  if (turn === 1) return [y, side - x];
  return turn === 2 ? [side - x, side - y] : [side - y, x];
}

/** The best score of candidates, 0 where there are none. */
export function bestScore(candidates: readonly Candidate[]): number {
  return candidates[0]?.score ?? 0;
}

/** The turn with which a picture should be inferred again, after an inference with `turn`; `turn` itself for none.
 *
 * candidates: of that inference, with poses in the input as it was. Where most faces, weighted by their scores, are
 * nearest to another quarter turn, it is that which makes them upright; otherwise it is half a turn where no score
 * reaches UPRIGHT_SCORE and upsideDown, if given, does not tell that they are upright. Where nothing shows how an input
 * that lies on its side should be turned, it is the picture as it is: most are upright. */
export function nextTurn(candidates: readonly Candidate[], turn: number, upsideDown?: UpsideDown): number {
  const voters = candidates.filter(({ score }) => score >= MIN_VOTE_SCORE);
  const opposite = (turn + 2) % TURNS;
  if (voters.length === 0) return turn % 2 === 1 ? 0 : opposite;
  const votes = new Float64Array(TURNS);
  for (const { score, pose } of voters) {
    const quarter = (((Math.round(twistAngle(pose.quaternion) / 90) % TURNS) + TURNS) % TURNS) as 0 | 1 | 2 | 3;
    votes[quarter] = (votes[quarter] as number) + score;
  }
  const upright = votes.indexOf(Math.max(...votes));
  if (upright !== turn || bestScore(voters) >= UPRIGHT_SCORE) return upright;
  if (!upsideDown) return opposite;
  return logOddsOf(upsideDown, voters) >= UPSIDE_DOWN_LOG_ODDS ? opposite : turn;
}
