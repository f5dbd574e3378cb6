/** Whether the faces that the Multiple Face Network found are upside down, told by what it takes them for, as in
 * service/vision/upside_down.py. */

import type { Candidate } from "./candidates.ts";

/** Weights, fitted to one network, of a face's evidence that it is upside down. identity: (50,) of its identity, a
 * standard deviation each. score: of its score. constant: of every face. */
export interface UpsideDown {
  identity: readonly number[];
  score: number;
  constant: number;
}

/** The natural logarithm of the odds that a picture is upside down, of its candidates, at least one. Candidates of one
 * picture say much the same: N of them count like sqrt(N). */
export function logOddsOf(weights: UpsideDown, candidates: readonly Candidate[]): number {
  let [evidence, total] = [0, 0];
  for (const { score, identity } of candidates) {
    const look = weights.identity.reduce((sum, weight, i) => sum + weight * (identity[i] as number), 0);
    evidence += score ** 2 * (look + weights.score * score + weights.constant);
    total += score ** 2;
  }
  return evidence / Math.sqrt(total);
}
