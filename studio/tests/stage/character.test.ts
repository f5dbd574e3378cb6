import { readFileSync } from "node:fs";
import type { ArkitName } from "mfn-client";
import type { Mesh } from "three";
import { Box3, Matrix4, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { describe, expect, test, vi } from "vitest";
import { WEIGHTS, weightOf } from "../../src/stage/arkit.ts";
import { Idle } from "../../src/stage/idle.ts";
import { lightTable } from "../../src/stage/light-table.ts";
import { Models } from "../../src/stage/models.ts";
import { neutralPose } from "../../src/stage/motion.ts";
import { CharacterError } from "../../src/stage/stage.ts";
import { edited, glb, triangle } from "./glb-file.ts";

const fileOf = (bytes: ArrayBuffer, name = "character.glb") => ({ file: new File([bytes], name) });
const still = new Idle(() => 0.5);
const corner = (mesh: Mesh, index: number) =>
  new Vector3().fromBufferAttribute(mesh.geometry.attributes.position as never, index);

describe.each([
  ["the graphics card", undefined],
  ["the processor", lightTable()],
])("a character of a file, lit by %s", (_, light) => {
  test("moves its face by ARKit's weights, whatever its targets are called", async () => {
    const models = new Models(light);
    const character = await models.wear(fileOf(glb({ targets: ["Head_JawOpen", "other", "eyeBlink_L"] })));
    const pose = neutralPose();
    pose[weightOf("jawOpen")] = 0.5;
    pose[weightOf("eyeBlinkLeft")] = 0.25;
    character.move(pose, still, 16);
    const meshes: Mesh[] = [];
    character.scene.traverse((node) => {
      if ((node as Mesh).isMesh && node.visible) meshes.push(node as Mesh);
    });
    expect(meshes).toHaveLength(1);
    const [mesh] = meshes as [Mesh];
    // The file's targets all move the third corner from (0, 0.3, 0.05) by (0, 0.01, 0.02).
    const at = mesh.localToWorld(corner(mesh, 2));
    expect(at.y).toBeCloseTo(0.3 + 0.75 * 0.01, 6);
    expect(at.z).toBeCloseTo(0.05 + 0.75 * 0.02, 6);
    character.move(neutralPose(), still, 16);
    expect(mesh.localToWorld(corner(mesh, 2)).y).toBeCloseTo(0.3, 6);
    character.dispose();
  });

  test("turns its head, or all of itself where it has none", async () => {
    for (const nodes of [["face"], ["body", "head", "face"]]) {
      const character = await new Models(light).wear(fileOf(glb({ targets: ["jawOpen"], nodes })));
      expect(character.head.getSize(new Vector3()).y).toBeCloseTo(0.3, 6);
      const pose = neutralPose();
      pose.set([0, Math.SQRT1_2, 0, Math.SQRT1_2], WEIGHTS); // yaw of 90 degrees
      character.move(pose, still, 16);
      character.scene.updateWorldMatrix(true, true);
      const box = new Box3();
      character.scene.traverse((node) => {
        if (!(node as Mesh).isMesh || !node.visible) return;
        for (let i = 0; i < 3; i++) box.expandByPoint(node.localToWorld(corner(node as Mesh, i)));
      });
      expect(box.getSize(new Vector3()).x).toBeCloseTo(0.05, 6); // was its depth
      expect(box.getSize(new Vector3()).z).toBeCloseTo(0.2, 6); // was its width
    }
  });
});

// Node reads no pictures, so that it is without its textures.
const human = edited(
  new Uint8Array(readFileSync(new URL("../../characters/human.glb", import.meta.url))).buffer,
  (json) => {
    for (const material of json.materials) material.pbrMetallicRoughness = {};
  },
);
const underRoot = (file: ArrayBuffer, place: object) =>
  edited(file, ({ nodes, scenes: [scene] }) => {
    scene.nodes = [nodes.push({ children: scene.nodes, ...place }) - 1];
  });

describe.each([
  ["with a skin", human],
  ["without one", glb({ targets: ["jawOpen"], nodes: ["body", "head", "face"] })],
])("a character %s has its size and place by its root", (_, file) => {
  test.each([
    ["in centimetres", { scale: [100, 100, 100] }, new Matrix4().makeScale(100, 100, 100)],
    ["moved", { translation: [3, -2, 1] }, new Matrix4().makeTranslation(3, -2, 1)],
    [
      "about another axis",
      { rotation: [-Math.SQRT1_2, 0, 0, Math.SQRT1_2] },
      new Matrix4().makeRotationX(-Math.PI / 2),
    ],
  ])("%s", async (_, place, matrix) => {
    const [alone, under] = await Promise.all([opened(file), opened(underRoot(file, place))]);
    for (const part of ["head", "body"] as const) {
      const expected = alone[part].clone().applyMatrix4(matrix);
      const size = expected.getSize(new Vector3()).length();
      for (const end of ["min", "max"] as const) {
        expect(under[part][end].distanceTo(expected[end]) / size).toBeLessThan(1e-5);
      }
    }
  });
});

test("characters of the same file move on their own, and share what does not move", async () => {
  const { scene } = await new GLTFLoader().parseAsync(glb({ targets: ["jawOpen"] }), "");
  expect(scene.children).toHaveLength(1);
});

const opened = (bytes: ArrayBuffer) => new Models(undefined).wear(fileOf(bytes));

/** How far the third corner is moved, of the way of one target. */
async function moved(bytes: ArrayBuffer, weights: Partial<Record<ArkitName, number>>): Promise<number> {
  const character = await opened(bytes);
  const pose = neutralPose();
  for (const [name, weight] of Object.entries(weights)) pose[weightOf(name as ArkitName)] = weight;
  character.move(pose, still, 16);
  const mesh = character.scene.getObjectByProperty("isMesh", true) as Mesh;
  return (corner(mesh, 2).y - 0.3) / 0.01;
}

test("names beside the primitive, and halves of a shape, are read", async () => {
  const beside = glb({ targets: ["JawOpen", "other"], besidePrimitive: true });
  expect(await moved(beside, { jawOpen: 0.5 })).toBeCloseTo(0.5, 4);
  const halves = glb({ targets: ["browInnerUp_L", "browInnerUp_R"] });
  expect(await moved(halves, { browInnerUp: 0.5 })).toBeCloseTo(1, 4);
});

test("a target that leaves the places as they are moves nothing", async () => {
  // The second one has normals alone, for which the loader gives the places of the base.
  const normals = [{ POSITION: 1 }, { NORMAL: 1 }];
  const meshes = [
    {
      primitives: [{ attributes: { POSITION: 0 }, targets: normals }],
      extras: { targetNames: ["jawOpen", "cheekPuff"] },
    },
  ];
  const bytes = glb({ targets: ["jawOpen"], document: { meshes } });
  expect(await moved(bytes, { cheekPuff: 1 })).toBeCloseTo(0, 4);
  expect(await moved(bytes, { jawOpen: 1 })).toBeCloseTo(1, 4);
});

test("what lies in the file as data is read, and no other address is asked for", async () => {
  vi.stubGlobal("ProgressEvent", Event); // which the loader makes
  const asked = vi.spyOn(globalThis, "fetch");
  const uri = `data:application/octet-stream;base64,${Buffer.from(triangle()).toString("base64")}`;
  const bytes = glb({ targets: ["jawOpen"], document: { buffers: [{ byteLength: 72, uri }] } });
  expect(await moved(bytes, { jawOpen: 1 })).toBeCloseTo(1, 4);
  expect(asked.mock.calls.every(([request]) => String((request as Request).url ?? request).startsWith("data:"))).toBe(
    true,
  );
  asked.mockRestore();
  vi.unstubAllGlobals();
});

test.each([
  ["with places that are no numbers", glb({ targets: ["jawOpen"], binary: triangle(Array(9).fill(Number.NaN)) })],
  ["without a size", glb({ targets: ["jawOpen"], binary: triangle(Array(9).fill(1)) })],
  [
    "that reaches into the infinite",
    glb({ targets: ["jawOpen"], binary: triangle([0, 0, 0, 1e30, 0, 0, 0, 1e30, 0]) }),
  ],
  ["that no node shows", glb({ targets: ["jawOpen"], document: { nodes: [{ name: "empty" }] } })],
])("a character %s is refused in words", async (_, bytes) => {
  await expect(opened(bytes)).rejects.toThrow(/^The character cannot be shown: it has no surface/);
});

test("a mesh that has a skin at one node and none at another is refused in words", async () => {
  const nodes = [{ children: [1, 2, 3] }, { name: "head" }, { mesh: 0, skin: 0 }, { mesh: 0 }];
  const places = { bufferView: 0, componentType: 5126, count: 3, type: "VEC3" };
  const zeros = { componentType: 5121, count: 3, type: "VEC4" };
  const attributes = { POSITION: 0, JOINTS_0: 2, WEIGHTS_0: 2 };
  const bytes = glb({
    targets: ["jawOpen"],
    document: {
      nodes,
      accessors: [places, { ...places, bufferView: 1 }, zeros],
      meshes: [{ primitives: [{ attributes, targets: [{ POSITION: 1 }] }], extras: { targetNames: ["jawOpen"] } }],
      skins: [{ joints: [1] }],
    },
  });
  await expect(opened(bytes)).rejects.toBeInstanceOf(CharacterError);
});

test.each([
  [
    "damaged.glb",
    glb({ targets: ["jawOpen"], document: { meshes: [{ primitives: [{ attributes: { POSITION: 9 } }] }] } }),
  ],
  ["scenes.glb", glb({ targets: ["jawOpen"], document: { scenes: [{ nodes: [7] }] } })],
  ["loop.glb", glb({ targets: ["jawOpen"], document: { nodes: [{ children: [0] }] } })],
  ["<img src=x onerror=alert(1)>.glb", new ArrayBuffer(3)],
])("%s is refused in words", async (name, bytes) => {
  await expect(new Models(undefined).wear(fileOf(bytes, name))).rejects.toBeInstanceOf(CharacterError);
});
