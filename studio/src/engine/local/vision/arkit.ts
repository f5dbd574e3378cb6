/** ARKit's 52 blend shapes, derived from the face model's 46 expressions and the gaze, as in service/vision/arkit.py.
 * Match by name, never by position. */

/** In the order of a face's gaze. */
export const GAZE_NAMES = [
  "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
  "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
] as const;

/** In ARKit's spelling and alphabetical order. */
export const ARKIT_NAMES = [
  "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
  "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
  "eyeBlinkLeft", "eyeBlinkRight", ...GAZE_NAMES, "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
  "jawForward", "jawLeft", "jawOpen", "jawRight",
  "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
  "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
  "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
  "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
  "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
] as const;

/** Always 0: no network sees it. */
export const NEVER_OBSERVED = ["tongueOut"] as const;

/** Expressions with a side that ARKit has only one of: it is the mean of both. */
const HALVES: ReadonlySet<string> = new Set(["browInnerUp", "cheekPuff"]);

/** The 52 weights in [0, 1] by ARKit's names. expression: by the face model's names. gaze: by ARKit's. Without a gaze the
 * lids' eyeLookDown stands for eyes that look down, and the other eyeLook* are 0. */
export function blendshapes(
  expression: Readonly<Record<string, number>>,
  gaze?: Readonly<Record<string, number>>,
): Record<string, number> {
  const weights: Record<string, number> = Object.fromEntries(ARKIT_NAMES.map((name) => [name, 0]));
  for (const [name, value] of Object.entries(expression)) {
    for (const [target, share] of targets(name)) weights[target] = (weights[target] ?? 0) + share * value;
  }
  return { ...weights, ...gaze };
}

/** ARKit's names that an expression of the face model contributes to, each with its share. */
function targets(name: string): readonly (readonly [name: string, share: number])[] {
  if (name === "eyeLookDown") return [[`${name}Left`, 1], [`${name}Right`, 1]];
  const stem = name.replace(/_[LR]$/, "");
  if (HALVES.has(stem)) return [[stem, 0.5]];
  return [[name.replace(/_L$/, "Left").replace(/_R$/, "Right"), 1]];
}
