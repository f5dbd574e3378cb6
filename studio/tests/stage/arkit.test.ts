import { ARKIT_NAMES } from "mfn-client";
import { expect, test } from "vitest";
import { MIRRORED, weightOf, weightOfTarget, weightsOfTargets, wordsOf } from "../../src/stage/arkit.ts";

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
  ["browDown_L", "browDownLeft"],
  ["browDownL", "browDownLeft"],
  ["eye.blink.r", "eyeBlinkRight"],
  ["EYELOOKOUTLEFT", "eyeLookOutLeft"],
  ["A14_Eye_Blink_Left", "eyeBlinkLeft"],
  ["blendShape1.jawOpen", "jawOpen"],
  ["tongue out", "tongueOut"],
  ["browInnerUp_L", "browInnerUp"], // a half of it
  ["Head_cheekPuff_R", "cheekPuff"],
])("the target %s is %s", (target, name) => {
  expect(weightOfTarget(target)).toBe(ARKIT_NAMES.indexOf(name as (typeof ARKIT_NAMES)[number]));
});

test.each([
  ...["", "Key 1", "Fcl_MTH_A", "viseme_aa", "jawOpenMore", "<script>alert(1)</script>", "open", "__proto__"],
  ...["jawOpen_mouthFunnel", "eyeBlink_L_eyeSquint_L", "mouthSmile", "browUp_L", "L", "left"],
])("the target %j is none of ARKit's", (target) => expect(weightOfTarget(target)).toBeUndefined());

test("a target that is there twice moves once, unless each is a half", () => {
  const jaw = weightOf("jawOpen");
  expect(weightsOfTargets(["JawOpen", "jawOpen", "Head.jawOpen"])).toEqual([undefined, jaw, undefined]);
  const brow = weightOf("browInnerUp");
  expect(weightsOfTargets(["browInnerUp_L", "browInnerUp_R"])).toEqual([brow, brow]);
});

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
