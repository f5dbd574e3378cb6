import { ARKIT_NAMES } from "mfn-client";
import { expect, test } from "vitest";
import { MIRRORED, weightOf, weightOfTarget, wordsOf } from "../../src/stage/arkit.ts";

test.each([
  ["jawOpen", "jawOpen"],
  ["JawOpen", "jawOpen"],
  ["JAW_OPEN", "jawOpen"],
  ["eyeBlink_L", "eyeBlinkLeft"],
  ["eyeBlinkRight", "eyeBlinkRight"],
  ["Wolf3D_Head.eyeBlinkLeft", "eyeBlinkLeft"],
  ["blendShape1.mouthSmile_R", "mouthSmileRight"],
  ["head_geo:BrowInnerUp", "browInnerUp"],
  ["mouth_left", "mouthLeft"],
])("the target %s is %s", (target, name) => {
  expect(weightOfTarget(target)).toBe(ARKIT_NAMES.indexOf(name as (typeof ARKIT_NAMES)[number]));
});

test.each(["", "Key 1", "Fcl_MTH_A", "viseme_aa", "jawOpenMore", "<script>alert(1)</script>", "open"])(
  "the target %j is none of ARKit's",
  (target) => expect(weightOfTarget(target)).toBeUndefined(),
);

test("each of ARKit's names is its own", () => {
  ARKIT_NAMES.forEach((name, i) => {
    expect(weightOfTarget(name)).toBe(i);
  });
});

test("a mirror swaps left and right and leaves the middle", () => {
  expect(MIRRORED[weightOf("mouthSmileLeft")]).toBe(weightOf("mouthSmileRight"));
  expect(MIRRORED[weightOf("jawRight")]).toBe(weightOf("jawLeft"));
  expect(MIRRORED[weightOf("jawOpen")]).toBe(weightOf("jawOpen"));
  expect(MIRRORED.map((other) => MIRRORED[other])).toEqual(ARKIT_NAMES.map((_, i) => i));
});

test("names fall into words", () => {
  expect(wordsOf("mixamorig:LeftEye")).toEqual(["mixamorig", "left", "eye"]);
  expect(wordsOf("CC_Base_L_Eye")).toEqual(["cc", "base", "l", "eye"]);
  expect(wordsOf("neck_01")).toEqual(["neck", "01"]);
});
