/** The expressions of VRM avatars that have none of ARKit's: what ARKit's weights come to in them. */

import type { ArkitName } from "mfn-client";

/** Weights of VRM's presets, 0 to 1. Those of the mouth add up to 1 at most, since avatars add up their shapes.
 *
 * of: the weight of an ARKit name. The looks of eyes are set by VRM's lookAt. */
export function vrmExpressions(of: (name: ArkitName) => number): Record<string, number> {
  const both = (left: ArkitName, right: ArkitName) => (of(left) + of(right)) / 2;
  const smile = both("mouthSmileLeft", "mouthSmileRight");
  const frown = both("mouthFrownLeft", "mouthFrownRight");
  const wide = both("mouthStretchLeft", "mouthStretchRight");
  const open = Math.max(of("jawOpen") - of("mouthClose"), 0);
  const round = Math.max(of("mouthFunnel"), of("mouthPucker"));
  const mouth = {
    aa: open * (1 - round) * 1.3,
    ou: of("mouthPucker") * 0.9,
    oh: of("mouthFunnel") * (0.3 + open),
    ee: Math.min(smile, 0.5) * open + wide * 0.5,
    ih: both("mouthLowerDownLeft", "mouthLowerDownRight") * (1 - open) * 0.5,
  };
  const sum = Object.values(mouth).reduce((total, value) => total + value, 0);
  const brows = both("browDownLeft", "browDownRight");
  const raised = (of("browInnerUp") + both("browOuterUpLeft", "browOuterUpRight")) / 2;
  const weights = {
    ...mouth,
    blinkLeft: Math.max(of("eyeBlinkLeft"), 0.3 * of("eyeSquintLeft")),
    blinkRight: Math.max(of("eyeBlinkRight"), 0.3 * of("eyeSquintRight")),
    // A full one of these changes the eyes and the mouth, too, which the others move already.
    happy: 0.7 * Math.max(smile - frown, 0),
    sad: 0.7 * Math.max(frown - smile, 0),
    angry: 0.6 * Math.max(brows, both("noseSneerLeft", "noseSneerRight")),
    surprised: 0.6 * Math.max(raised, both("eyeWideLeft", "eyeWideRight")),
  };
  for (const name of Object.keys(weights) as (keyof typeof weights)[]) {
    const share = name in mouth && sum > 1 ? sum : 1;
    weights[name] = Math.min(weights[name] / share, 1);
  }
  return weights;
}
