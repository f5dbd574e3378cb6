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
const SIDES: Readonly<Record<string, string>> = { l: "left", r: "right" };

/** The weight that a file's morph target stands for, or undefined. Case, separators and words before the name do not
 * count, and L and R stand for left and right: "Head_BlendShapes.eye_blink_L" is eyeBlinkLeft. A half of a shape that
 * ARKit has whole, as browInnerUp_L, moves with the whole. What joins two names, as "jawOpen_mouthSmileLeft", corrects
 * their sum and stands for neither. */
export function weightOfTarget(target: string): number | undefined {
  const words = wordsOf(target).map((word) => SIDES[word] ?? word);
  const side = words.at(-1);
  const half = side === "left" || side === "right" ? nameAtEnd(words.slice(0, -1)) : undefined;
  const found = nameAtEnd(words) ?? half;
  if (!found || nameAtEnd(words.slice(0, found.first))) return undefined;
  return found.weight;
}

/** The ARKit name that words end with, and the place of its first word. */
function nameAtEnd(words: readonly string[]): { weight: number; first: number } | undefined {
  for (let first = 0; first < words.length; first++) {
    const weight = BY_LETTERS.get(words.slice(first).join(""));
    if (weight !== undefined) return { weight, first };
  }
  return undefined;
}

/** The weights that the morph targets of a mesh stand for. Where a target has ARKit's own spelling, others that are
 * spelt otherwise do not double it. */
export function weightsOfTargets(targets: readonly string[]): (number | undefined)[] {
  const exact = new Set(targets.map((target) => weightOf(target as ArkitName)));
  return targets.map((target) => {
    const weight = weightOfTarget(target);
    const doubled = weight !== undefined && exact.has(weight) && target !== ARKIT_NAMES[weight];
    return doubled ? undefined : weight;
  });
}
