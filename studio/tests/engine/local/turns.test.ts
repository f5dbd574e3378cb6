import { describe, expect, test } from "vitest";
import { type Candidate, IDENTITY_MODES } from "../../../src/engine/local/vision/candidates.ts";
import { nextTurn } from "../../../src/engine/local/vision/turns.ts";
import { logOddsOf, type UpsideDown } from "../../../src/engine/local/vision/upside-down.ts";
import { turnInPlane } from "../../../src/rotation.ts";

function candidate(score: number, roll: number, firstTwo = [0, 0]): Candidate {
  const identity = new Float32Array(IDENTITY_MODES);
  identity.set(firstTwo);
  const pose = { quaternion: turnInPlane(roll), origin: [0, 0] as const, scale: 1 };
  return { score, box: [0, 0, 1, 1], pose, identity, expression: new Float32Array(46) };
}

const WEIGHTS: UpsideDown = {
  identity: Array.from({ length: IDENTITY_MODES }, (_, i) => [1, -1][i] ?? 0),
  score: -4,
  constant: 3,
};

describe("the odds that faces are upside down, as in tests/service/vision/test_upside_down.py", () => {
  test("of one face", () => {
    expect(logOddsOf(WEIGHTS, [candidate(0.5, 0, [2, 1])])).toBeCloseTo(1);
  });

  test("of two", () => {
    const both = [candidate(0.8, 0), candidate(0.2, 0, [5, 0])];
    expect(logOddsOf(WEIGHTS, both)).toBeCloseTo(0.16 / Math.sqrt(0.68));
  });
});

describe("the turn that is tried next, as in tests/service/vision/test_turns.py", () => {
  test.each<[number[], number[], number, number, number]>([
    [[0.6], [5], 0, -2, 2],
    [[0.6], [5], 0, -2.5, 0],
    [[0.6], [175], 2, -2.5, 2],
    [[0.6, 0.19], [5, 5], 0, -2.5, 0],
    [[0.8], [5], 0, 9, 0],
    [[0.6], [95], 0, -9, 1],
    [[], [], 0, -9, 2],
    [[], [], 1, -9, 0],
  ])("scores %j, rolls %j, turn %i, constant %d", (scores, rolls, turn, constant, expected) => {
    const candidates = scores.map((score, i) => candidate(score, rolls[i] as number));
    const upsideDown = { identity: new Array(IDENTITY_MODES).fill(0), score: 0, constant };
    expect(nextTurn(candidates, turn, upsideDown)).toBe(expected);
  });

  test("networks without weights are inferred again", () => {
    expect(nextTurn([candidate(0.6, 5)], 0)).toBe(2);
  });
});
