import type { ArkitName } from "mfn-client";
import { ARKIT_NAMES } from "mfn-client";
import { expect, test } from "vitest";
import { vrmExpressions } from "../../src/stage/vrm-expressions.ts";

const from = (weights: Partial<Record<ArkitName, number>>) => vrmExpressions((name) => weights[name] ?? 0);

test("a face at rest has no expression", () => {
  expect(Object.values(from({})).every((weight) => weight === 0)).toBe(true);
});

test.each<[Partial<Record<ArkitName, number>>, string]>([
  [{ jawOpen: 0.8 }, "aa"],
  [{ mouthPucker: 1 }, "ou"],
  [{ mouthFunnel: 1, jawOpen: 0.4 }, "oh"],
  [{ eyeBlinkLeft: 1 }, "blinkLeft"],
  [{ eyeBlinkRight: 1 }, "blinkRight"],
  [{ mouthSmileLeft: 1, mouthSmileRight: 1 }, "happy"],
  [{ mouthFrownLeft: 1, mouthFrownRight: 1 }, "sad"],
  [{ browDownLeft: 1, browDownRight: 1 }, "angry"],
  [{ browInnerUp: 1, browOuterUpLeft: 1, browOuterUpRight: 1 }, "surprised"],
])("%j is mostly %s", (weights, expression) => {
  const found = Object.entries(from(weights)).toSorted((a, b) => b[1] - a[1]);
  expect(found[0]?.[0]).toBe(expression);
  expect(found[0]?.[1]).toBeGreaterThan(0.5);
});

test("weights are 0 to 1, and the mouth's add up to 1 at most", () => {
  for (let trial = 0; trial < 300; trial++) {
    const weights = Object.fromEntries(ARKIT_NAMES.map((name) => [name, Math.random() > 0.5 ? Math.random() : 1]));
    const found = from(weights);
    for (const weight of Object.values(found)) {
      expect(weight).toBeGreaterThanOrEqual(0);
      expect(weight).toBeLessThanOrEqual(1);
    }
    const mouth = ["aa", "ih", "ou", "ee", "oh"].reduce((sum, name) => sum + (found[name] ?? 0), 0);
    expect(mouth).toBeLessThanOrEqual(1 + 1e-9);
  }
});
