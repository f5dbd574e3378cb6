import type { Mesh } from "three";
import { Quaternion, Vector3 } from "three";
import { describe, expect, test, vi } from "vitest";
import { WEIGHTS, weightOf } from "../../src/stage/arkit.ts";
import type { Character } from "../../src/stage/character.ts";
import { Idle } from "../../src/stage/idle.ts";
import { Models } from "../../src/stage/models.ts";
import { neutralPose } from "../../src/stage/motion.ts";
import { edited, glb } from "./glb-file.ts";

// Bones that each humanoid has, and the one that each hangs on.
const BONES: Record<string, string | undefined> = {
  hips: undefined,
  spine: "hips",
  neck: "spine",
  head: "neck",
  ...Object.fromEntries(
    ["left", "right"].flatMap((side) => [
      [`${side}UpperArm`, "spine"],
      [`${side}LowerArm`, `${side}UpperArm`],
      [`${side}Hand`, `${side}LowerArm`],
      [`${side}UpperLeg`, "hips"],
      [`${side}LowerLeg`, `${side}UpperLeg`],
      [`${side}Foot`, `${side}LowerLeg`],
    ]),
  ),
};
const NAMES = Object.keys(BONES);
const FACE = NAMES.length; // the node with the mesh, under the head

const nodes = [
  ...NAMES.map((name) => ({
    name,
    translation:
      name.includes("Arm") || name.includes("Hand") ? [name.startsWith("left") ? 0.2 : -0.2, 0, 0] : [0, 0.2, 0],
    children: [...NAMES.flatMap((child, i) => (BONES[child] === name ? [i] : [])), ...(name === "head" ? [FACE] : [])],
  })),
  { name: "face", mesh: 0 },
].map((node) => ("children" in node && node.children.length === 0 ? { ...node, children: undefined } : node));

/** An avatar of VRM 1.0 with expressions by preset and by name, each moved by the target of its place. */
function vrm1(preset: string[], custom: string[]): ArrayBuffer {
  const bind = (index: number) => ({ morphTargetBinds: [{ node: FACE, index, weight: 1 }] });
  return glb({
    targets: [...preset, ...custom].map((_, i) => `target ${i}`),
    document: {
      nodes,
      extensionsUsed: ["VRMC_vrm"],
      extensions: {
        VRMC_vrm: {
          specVersion: "1.0",
          meta: { name: "test", authors: ["test"], licenseUrl: "https://vrm.dev/licenses/1.0/" },
          humanoid: { humanBones: Object.fromEntries(NAMES.map((name, node) => [name, { node }])) },
          expressions: {
            preset: Object.fromEntries(preset.map((name, i) => [name, bind(i)])),
            custom: Object.fromEntries(custom.map((name, i) => [name, bind(preset.length + i)])),
          },
        },
      },
    },
  });
}

/** An avatar of VRM 0.x with one expression: the mouth's A, or another. */
function vrm0(presetName = "a", name = "A"): ArrayBuffer {
  return glb({
    targets: ["Fcl_MTH_A"],
    document: {
      nodes,
      extensionsUsed: ["VRM"],
      extensions: {
        VRM: {
          specVersion: "0.0",
          meta: { title: "test" },
          humanoid: { humanBones: NAMES.map((bone, node) => ({ bone, node })) },
          blendShapeMaster: {
            blendShapeGroups: [{ name, presetName, binds: [{ mesh: 0, index: 0, weight: 100 }] }],
          },
          firstPerson: {},
          secondaryAnimation: { boneGroups: [], colliderGroups: [] },
          materialProperties: [],
        },
      },
    },
  });
}

interface Extensions {
  VRMC_vrm: { humanoid: { humanBones: Record<string, unknown> } };
  VRM: { humanoid: { humanBones: unknown[] } };
}

const wear = (bytes: ArrayBuffer) => new Models(undefined).wear({ file: new File([bytes], "avatar.vrm") });
const still = new Idle(() => 0.5);

/** How far the face's third corner is moved by its targets, of the whole way. */
function moved(character: Character): number {
  let height = 0;
  character.scene.traverse((node) => {
    const mesh = node as Mesh;
    if (mesh.isMesh)
      height = Math.max(...Array.from({ length: 3 }, (_, i) => mesh.geometry.attributes.position?.getY(i) ?? 0));
  });
  return (height - 0.3) / 0.01;
}

function posed(weights: Record<string, number>, yaw = 0): Float32Array {
  const pose = neutralPose();
  for (const [name, weight] of Object.entries(weights)) pose[weightOf(name as "jawOpen")] = weight;
  pose.set([0, Math.sin(yaw / 2), 0, Math.cos(yaw / 2)], WEIGHTS);
  return pose;
}

describe("a .vrm file", () => {
  test("with ARKit's expressions is moved by them", async () => {
    const character = await wear(vrm1(["aa"], ["JawOpen", "mouthSmileLeft", "MouthSmileRight"]));
    character.move(posed({ mouthSmileLeft: 0.3, mouthSmileRight: 0.4 }), still, 16);
    expect(moved(character)).toBeCloseTo(0.7, 3);
    character.dispose();
  });

  test("with some of ARKit's expressions shows the rest by its presets, and nothing twice", async () => {
    const character = await wear(vrm1(["aa", "blinkLeft"], ["JawOpen"]));
    character.move(posed({ jawOpen: 0.5 }), still, 16);
    expect(moved(character)).toBeCloseTo(0.5, 3); // JawOpen without aa
    character.move(posed({ eyeBlinkLeft: 0.6 }), still, 16);
    expect(moved(character)).toBeCloseTo(0.6, 3);
  });

  test("of 0.x with ARKit's expressions is moved by them", async () => {
    const character = await wear(vrm0("unknown", "EyeBlinkLeft"));
    character.move(posed({ eyeBlinkLeft: 0.6 }), still, 16);
    expect(moved(character)).toBeCloseTo(0.6, 3);
  });

  test("of 1.0 is moved by its presets", async () => {
    const character = await wear(vrm1(["blinkLeft"], []));
    character.move(posed({ eyeBlinkLeft: 0.6 }), still, 16);
    expect(moved(character)).toBeCloseTo(0.6, 3);
  });

  test("of 0.x works: it faces the viewer, turns as the pose says, and its arms hang down", async () => {
    const character = await wear(vrm0());
    const node = (name: string) => character.scene.getObjectByName(name);
    character.scene.updateWorldMatrix(true, true);
    const atRest = node("head")?.getWorldQuaternion(new Quaternion());
    character.move(posed({ jawOpen: 0.5 }, Math.PI / 6), still, 16);
    expect(moved(character)).toBeGreaterThan(0.4);
    character.scene.updateWorldMatrix(true, true);
    const turn = node("head")
      ?.getWorldQuaternion(new Quaternion())
      .multiply(atRest?.invert() ?? new Quaternion());
    expect(new Vector3(0, 0, 1).applyQuaternion(turn ?? new Quaternion()).x).toBeCloseTo(0.5, 4);
    // Files of 0.x look along -z: what lay at their +x lies at -x now.
    const [hand, shoulder] = ["leftHand", "leftUpperArm"].map((name) => node(name)?.getWorldPosition(new Vector3()));
    expect((shoulder?.y ?? 0) - (hand?.y ?? 0)).toBeGreaterThan(0.3);
    expect(shoulder?.x).toBeLessThan(0);
  });

  test("without expressions, or of another version, is refused in words", async () => {
    await expect(wear(vrm1([], []))).rejects.toThrow(/no expressions/);
    const silent = vi.spyOn(console, "warn").mockImplementation(() => {});
    const future = glb({ targets: ["x"], document: { extensions: { VRMC_vrm: { specVersion: "9.0" } } } });
    await expect(wear(future)).rejects.toThrow(/Export VRM 0\.x or 1\.0/);
    silent.mockRestore();
  });

  test.each([
    ["1.0", vrm1(["aa"], []), ({ VRMC_vrm }: Extensions) => delete VRMC_vrm.humanoid.humanBones.leftFoot],
    ["0.x", vrm0(), ({ VRM }: Extensions) => VRM.humanoid.humanBones.splice(NAMES.indexOf("leftFoot"), 1)],
  ])("of %s that lacks a bone is refused with the bone's name", async (_, file, remove) => {
    await expect(wear(edited(file, ({ extensions }) => void remove(extensions)))).rejects.toThrow(
      /lacks bones that VRM requires: leftFoot\. Export/,
    );
  });
});
