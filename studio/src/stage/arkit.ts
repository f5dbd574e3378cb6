/** ARKit's blend shapes on the stage: their places in arrays of weights, their other halves, their names in files. */

import { ARKIT_NAMES, type ArkitName } from "mfn-client";

export const WEIGHTS = ARKIT_NAMES.length;

/** Place of a name in arrays of weights. */
export function weightOf(name: ArkitName): number {
  return ARKIT_NAMES.indexOf(name);
}

/** For each weight, the place of the one that a mirror shows in its stead. */
export const MIRRORED: readonly number[] = ARKIT_NAMES.map((name) => {
  const other = name.endsWith("Left") ? name.replace(/Left$/, "Right") : name.replace(/Right$/, "Left");
  return weightOf(other as ArkitName);
});

/** The words of a name as modelling programs write them, in small letters: "mixamorig:LeftEye" gives mixamorig, left,
 * eye. */
export function wordsOf(name: string): string[] {
  return (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? []).map((word) => word.toLowerCase());
}

const BY_LETTERS = new Map<string, number>(ARKIT_NAMES.map((name, index) => [name.toLowerCase(), index]));

/** The weight that a file's morph target stands for, or undefined. Case, separators and words before the name do not
 * count, and a last L or R stands for left or right: "Head_BlendShapes.eye_blink_L" is eyeBlinkLeft. */
export function weightOfTarget(target: string): number | undefined {
  const words = wordsOf(target);
  const last = words.at(-1);
  if (last === "l" || last === "r") words[words.length - 1] = last === "l" ? "left" : "right";
  for (let first = 0; first < words.length; first++) {
    const index = BY_LETTERS.get(words.slice(first).join(""));
    if (index !== undefined) return index;
  }
  return undefined;
}
