/** Characters of VRM files, version 0.x and 1.0. This part is loaded when the first of them is. */

import { type VRM, type VRMHumanBoneName, VRMLoaderPlugin, VRMUtils } from "@pixiv/three-vrm";
import { Box3, type Mesh, type Object3D } from "three";
import type { GLTF, GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { weightOf, weightsOfTargets } from "./arkit.ts";
import { angles, type Character, headBounds, meshesOf, weightAt } from "./character.ts";
import type { Idle } from "./idle.ts";
import { MorphedMesh, MorphTargets } from "./morphs.ts";
import { lowerArms, Rig } from "./rig.ts";
import { CharacterError } from "./stage.ts";
import { vrmExpressions } from "./vrm-expressions.ts";

/** Reads an avatar. parse: runs a loader over the file. Rejects with CharacterError. */
export async function wearVrm(loader: GLTFLoader, parse: (loader: GLTFLoader) => Promise<GLTF>): Promise<Character> {
  loader.register((parser) => new VRMLoaderPlugin(parser));
  const gltf = await parse(loader).catch((error: unknown) => {
    throw bonesLacking(error) ?? error;
  });
  const vrm = gltf.userData.vrm as VRM | undefined;
  if (!vrm) {
    throw new CharacterError(
      "The avatar's VRM description is of a version that cannot be read. Export VRM 0.x or 1.0.",
    );
  }
  if (!vrm.expressionManager?.expressions.length) {
    VRMUtils.deepDispose(gltf.scene);
    throw new CharacterError("The avatar has no expressions, so its face cannot be moved. Export it with expressions.");
  }
  return new VrmCharacter(vrm);
}

/** What is said where the plugin finds that the skeleton is not whole. */
function bonesLacking(error: unknown): CharacterError | undefined {
  const { cause } = error as CharacterError;
  const bones = cause instanceof Error && /bones are required but not exist: (.+)/.exec(cause.message)?.[1];
  if (!bones) return undefined;
  return new CharacterError(`The avatar lacks bones that VRM requires: ${bones}. Export it with a whole skeleton.`);
}

class VrmCharacter implements Character {
  readonly scene: Object3D;
  readonly head: Box3;
  readonly body = new Box3();
  private readonly vrm: VRM;
  private readonly rig: Rig;
  private readonly meshes: MorphedMesh[];
  /** Expressions that are ARKit's ("perfect sync"), by their weights. */
  private readonly synced = new Map<number, string[]>();

  constructor(vrm: VRM) {
    this.vrm = vrm;
    this.scene = vrm.scene;
    VRMUtils.rotateVRM0(vrm); // 0.x looks the other way
    VRMUtils.removeUnnecessaryVertices(vrm.scene);
    VRMUtils.combineSkeletons(vrm.scene);
    const names = vrm.expressionManager?.expressions.map(({ expressionName }) => expressionName) ?? [];
    weightsOfTargets(names).forEach((weight, i) => {
      if (weight !== undefined) this.synced.set(weight, [...(this.synced.get(weight) ?? []), names[i] ?? ""]);
    });
    const { humanoid } = vrm;
    humanoid.autoUpdateHumanBones = false; // the bones themselves are turned
    const bone = (name: VRMHumanBoneName) => humanoid.getRawBoneNode(name) ?? undefined;
    const parts = {
      head: bone("head"),
      neck: bone("neck"),
      leftEye: undefined, // VRM's own way turns them
      rightEye: undefined,
      leftArm: bone("leftUpperArm"),
      rightArm: bone("rightUpperArm"),
    };
    vrm.scene.updateWorldMatrix(false, true);
    lowerArms([parts.leftArm, parts.rightArm]);
    this.rig = new Rig(vrm.scene, parts);
    this.head = headBounds(vrm.scene, parts, this.body);
    const targets = new Map<Mesh["geometry"], MorphTargets>();
    this.meshes = meshesOf(vrm.scene)
      .filter((mesh) => mesh.geometry.morphAttributes.position && mesh.morphTargetInfluences)
      .map((mesh) => {
        const shared = targets.get(mesh.geometry) ?? new MorphTargets(mesh.geometry);
        targets.set(mesh.geometry, shared);
        mesh.geometry.morphAttributes = {};
        return new MorphedMesh(mesh, shared);
      });
    for (const mesh of meshesOf(vrm.scene)) mesh.frustumCulled = false; // hair swings out of its bounds at rest
  }

  move(pose: Float32Array, idle: Idle, elapsed: number): void {
    const manager = this.vrm.expressionManager;
    const of = (weight: number) => weightAt(pose, weight, idle);
    for (const [weight, names] of this.synced) for (const name of names) manager?.setValue(name, of(weight));
    // VRM's own expressions show what is left: nothing is shown twice.
    const rest = vrmExpressions((name) => (this.synced.has(weightOf(name)) ? 0 : of(weightOf(name))));
    for (const [name, weight] of Object.entries(rest)) manager?.setValue(name, weight);
    this.rig.turnHead(pose, idle.pitch);
    const [left, right] = [angles(pose, "left", idle), angles(pose, "right", idle)];
    this.vrm.lookAt?.applier?.applyYawPitch((left.yaw + right.yaw) / 2, (left.pitch + right.pitch) / 2);
    this.vrm.update(Math.min(elapsed, 50) / 1000); // hair and cloth swing in steps that stay stable
    for (const mesh of this.meshes) mesh.update();
  }

  dispose(): void {
    for (const mesh of this.meshes) mesh.dispose(true);
    VRMUtils.deepDispose(this.scene);
  }
}
