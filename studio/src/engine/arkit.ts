/** ARKit's 52 blend shapes, derived from the face model's 46 expressions and the gaze, as in service/vision/arkit.py.
 * Match by name, never by position. */

import { ARKIT_NAMES, type ArkitName, type ExpressionName, type GazeName } from "mfn-client";

/** Expressions with a side that ARKit has only one of: it is the mean of both. */
const HALVES: ReadonlySet<string> = new Set(["browInnerUp", "cheekPuff"]);

/** The 52 weights in [0, 1] by ARKit's names. expression: by the face model's names. gaze: by ARKit's. Without a gaze the
 * lids' eyeLookDown stands for eyes that look down, and the other eyeLook* are 0. */
export function blendshapes(
  expression: Readonly<Record<ExpressionName, number>>,
  gaze?: Readonly<Record<GazeName, number>>,
): Record<ArkitName, number> {
  const weights = Object.fromEntries(ARKIT_NAMES.map((name) => [name, 0])) as Record<ArkitName, number>;
  for (const [name, value] of Object.entries(expression)) {
    for (const [target, share] of targets(name)) weights[target] += share * value;
  }
  return { ...weights, ...gaze };
}

/** ARKit's names that an expression of the face model contributes to, each with its share. */
function targets(name: string): readonly (readonly [name: ArkitName, share: number])[] {
  if (name === "eyeLookDown")
    return [
      ["eyeLookDownLeft", 1],
      ["eyeLookDownRight", 1],
    ];
  const stem = name.replace(/_[LR]$/, "");
  if (HALVES.has(stem)) return [[stem as ArkitName, 0.5]];
  return [[name.replace(/_L$/, "Left").replace(/_R$/, "Right") as ArkitName, 1]];
}
