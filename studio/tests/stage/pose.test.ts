import { Euler, Group, Object3D, Quaternion, Vector3 } from "three";
import { describe, expect, test } from "vitest";
import { WEIGHTS, weightOf } from "../../src/stage/arkit.ts";
import { eyeAngles } from "../../src/stage/gaze.ts";
import { Idle } from "../../src/stage/idle.ts";
import { mirrorPose } from "../../src/stage/mirror.ts";
import { neutralPose } from "../../src/stage/motion.ts";
import { findParts, lowerArms, Rig } from "../../src/stage/rig.ts";

const radians = (degrees: number) => (degrees * Math.PI) / 180;

/** A neutral pose turned by the API's angles, R = Rz(roll) Ry(yaw) Rx(pitch). */
function turned(yaw: number, pitch: number, roll: number): Float32Array {
  const pose = neutralPose();
  const euler = new Euler(radians(pitch), radians(yaw), radians(roll), "ZYX");
  pose.set(new Quaternion().setFromEuler(euler).toArray(), WEIGHTS);
  return pose;
}

/** Where something that looked ahead looks, in the world. */
function ahead(node: Object3D, atRest: Quaternion): Vector3 {
  node.updateWorldMatrix(true, false);
  const turn = node.getWorldQuaternion(new Quaternion()).multiply(atRest.clone().invert());
  return new Vector3(0, 0, 1).applyQuaternion(turn);
}

describe("Rig", () => {
  /** hips, neck, head and eyes, whose axes point anywhere. */
  function figure(names: string[]) {
    const scene = new Group();
    const nodes = names.map((name) => Object.assign(new Object3D(), { name }));
    let parent: Object3D = scene;
    nodes.forEach((node, i) => {
      node.rotation.set(0.3 * i + 0.1, 0.7 - i, 0.2 * i);
      parent.add(node);
      if (i < 3) parent = node;
    });
    scene.updateWorldMatrix(true, true);
    return { scene, rests: nodes.map((node) => node.getWorldQuaternion(new Quaternion())), nodes };
  }

  test.each([
    [["root", "neck", "head", "eye_left", "eye_right"]],
    [["mixamorigSpine", "mixamorigNeck", "mixamorigHead", "mixamorigLeftEye", "mixamorigRightEye"]],
    [["CC_Base_Spine02", "CC_Base_NeckTwist01_Neck", "CC_Base_Head", "CC_Base_L_Eye", "CC_Base_R_Eye"]],
    [["Armature", "neck_01", "head_jnt", "Eye_L", "Eye_R"]],
  ])("turns %j as the pose says, whatever axes the bones have", (names) => {
    const { scene, nodes, rests } = figure(names);
    const parts = findParts(scene);
    expect([parts.neck, parts.head, parts.leftEye, parts.rightEye]).toEqual(nodes.slice(1));
    const rig = new Rig(scene, parts);
    rig.turnHead(turned(40, 0, 0), 0);
    rig.turnEyes({ yaw: 20, pitch: 0 }, { yaw: 0, pitch: 10 });
    const [, neck, head, left, right] = nodes as [Object3D, Object3D, Object3D, Object3D, Object3D];
    const [, neckRest, headRest, leftRest, rightRest] = rests as [
      Quaternion,
      Quaternion,
      Quaternion,
      Quaternion,
      Quaternion,
    ];
    // yaw > 0 turns the face toward the image's right, which is x.
    expect(ahead(head, headRest).x).toBeCloseTo(Math.sin(radians(40)), 5);
    expect(ahead(neck, neckRest).x).toBeCloseTo(Math.sin(radians(16)), 5);
    expect(ahead(left, leftRest).x).toBeCloseTo(Math.sin(radians(60)), 5);
    expect(ahead(right, rightRest).y).toBeCloseTo(-Math.sin(radians(10)), 5); // pitch > 0 looks down
    rig.turnHead(turned(0, 25, 0), 0);
    expect(ahead(head, headRest).y).toBeCloseTo(-Math.sin(radians(25)), 5);
    rig.turnHead(neutralPose(), 3); // the head stays where it looks while the neck breathes
    expect(ahead(head, headRest).z).toBeCloseTo(1, 5);
  });

  test.each([
    ["LeftArm", "LeftForeArm"],
    ["upperarm_l", "lowerarm_l"],
    ["J_Bip_L_UpperArm", "J_Bip_L_LowerArm"],
  ])("lowers %s, which stands out", (upper, lower) => {
    const scene = new Group();
    const [shoulder, arm, elbow] = ["spine", upper, lower].map((name) => Object.assign(new Object3D(), { name }));
    if (!shoulder || !arm || !elbow) return;
    shoulder.rotation.set(1, 2, 3);
    scene.add(shoulder.add(arm.add(elbow)));
    scene.updateWorldMatrix(true, true);
    elbow.position.copy(arm.worldToLocal(new Vector3(0.3, 0, 0)));
    scene.updateWorldMatrix(true, true);
    expect(findParts(scene).leftArm).toBe(arm);
    lowerArms([arm]);
    scene.updateWorldMatrix(true, true);
    const at = elbow.getWorldPosition(new Vector3());
    expect(at.y).toBeCloseTo(-0.3 * Math.sin(1.3), 5);
    expect(at.x).toBeCloseTo(0.3 * Math.cos(1.3), 5);
  });

  test("parts that are not there are not found", () => {
    const { scene } = figure(["Hips", "HeadTop_End", "Eyebrow", "Eyelash_L", "thing"]);
    expect(Object.values(findParts(scene)).every((part) => part === undefined)).toBe(true);
    new Rig(scene, findParts(scene)).turnHead(turned(30, 0, 0), 0);
  });
});

test("a mirror turns yaw and roll, and swaps the sides' weights", () => {
  const pose = turned(30, 10, -20);
  pose[weightOf("eyeBlinkLeft")] = 0.8;
  pose[weightOf("jawOpen")] = 0.4;
  const mirrored = neutralPose();
  mirrorPose(pose, mirrored);
  const expected = turned(-30, 10, 20);
  for (let i = WEIGHTS; i < WEIGHTS + 4; i++) expect(mirrored[i]).toBeCloseTo(expected[i] ?? 0, 6);
  expect(mirrored[weightOf("eyeBlinkRight")]).toBeCloseTo(0.8, 6);
  expect(mirrored[weightOf("eyeBlinkLeft")]).toBe(0);
  expect(mirrored[weightOf("jawOpen")]).toBeCloseTo(0.4, 6);
});

test("eyes look where eyeLook* say", () => {
  const weights = new Float32Array(WEIGHTS);
  weights[weightOf("eyeLookOutLeft")] = 1;
  weights[weightOf("eyeLookInRight")] = 1;
  weights[weightOf("eyeLookDownLeft")] = 0.5;
  weights[weightOf("eyeLookUpRight")] = 1;
  expect(eyeAngles(weights, "left")).toEqual({ yaw: 39, pitch: 17.5 }); // to the subject's left
  expect(eyeAngles(weights, "right").yaw).toBeCloseTo(21.5, 6);
  expect(eyeAngles(weights, "right").pitch).toBeCloseTo(-27.1, 6);
});

describe("Idle", () => {
  const frames = function* (milliseconds: number) {
    for (let now = 0; now < milliseconds; now += 1000 / 60) yield now;
  };

  test("blinks now and then at rest, and never while the person is seen", () => {
    const idle = new Idle(() => 0.5);
    let blinks = 0;
    let closed = false;
    for (const now of frames(30000)) {
      idle.update(now, true, true);
      expect(idle.blink).toBeGreaterThanOrEqual(0);
      expect(idle.blink).toBeLessThanOrEqual(1);
      if (idle.blink > 0.5 && !closed) blinks++;
      closed = idle.blink > 0.5;
    }
    expect(blinks).toBeGreaterThanOrEqual(5);
    expect(blinks).toBeLessThanOrEqual(12);
    const seen = new Idle(() => 0.5);
    for (const now of frames(20000)) {
      seen.update(now, false, true);
      expect(seen.blink).toBe(0);
      expect(Math.abs(seen.eyes.yaw)).toBe(0);
    }
  });

  test("eyes dart a little where no gaze is known", () => {
    const idle = new Idle();
    let most = 0;
    for (const now of frames(20000)) {
      idle.update(now, false, false);
      most = Math.max(most, Math.abs(idle.eyes.yaw), Math.abs(idle.eyes.pitch));
    }
    expect(most).toBeGreaterThan(0.2);
    expect(most).toBeLessThan(3); // degrees
  });
});
