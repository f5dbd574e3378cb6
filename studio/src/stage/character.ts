/** A character: a scene whose face, head and eyes a pose moves. */

import { Box3, Group, Matrix4, type Mesh, MeshStandardMaterial, type Object3D, type SkinnedMesh, Vector3 } from "three";
import { WEIGHTS, weightOf, weightsOfTargets } from "./arkit.ts";
import { eyeAngles } from "./gaze.ts";
import type { Idle } from "./idle.ts";
import type { LightTable } from "./light-table.ts";
import { MorphedMesh, type MorphTargets } from "./morphs.ts";
import { PaintedMesh } from "./painted.ts";
import { findParts, isUnder, lowerArms, type Parts, Rig } from "./rig.ts";
import { CharacterError } from "./stage.ts";

/** What the stage needs of a character. */
export interface Character {
  readonly scene: Object3D;
  /** Bounds at rest, in the scene's unit: of the head, and of all there is. */
  readonly head: Box3;
  readonly body: Box3;
  /** Moves the character. pose: as Motion's, mirrored where the stage is a mirror. elapsed: milliseconds. */
  move(pose: Float32Array, idle: Idle, elapsed: number): void;
  dispose(): void;
}

/** A character of a glTF scene whose morph targets have ARKit's names. */
export class GltfCharacter implements Character {
  readonly scene: Group;
  readonly head: Box3;
  readonly body: Box3;
  private readonly rig: Rig;
  private readonly faces: { influences: number[]; weights: (number | undefined)[] }[] = [];
  private readonly meshes: MorphedMesh[] = [];
  private readonly painted: PaintedMesh[] = [];
  private readonly toScene = new Matrix4();
  private readonly eyesMorph: boolean;
  private readonly release: () => boolean;

  /** targets: those of each geometry with morph targets. release: called when the character goes;
   * tells whether it was the last of its geometries. light: where the processor lights the vertices. */
  constructor(
    scene: Group,
    targets: ReadonlyMap<Mesh["geometry"], MorphTargets>,
    release: () => boolean,
    light: LightTable | undefined,
  ) {
    this.scene = scene;
    this.release = release;
    const parts = findParts(scene);
    scene.updateWorldMatrix(false, true);
    lowerArms([parts.leftArm, parts.rightArm]);
    this.body = new Box3();
    this.head = headBounds(scene, parts, this.body);
    parts.head ??= pivoted(scene, this.body.getCenter(new Vector3()));
    this.rig = new Rig(scene, parts);
    let eyesMorph = false;
    for (const mesh of meshesOf(scene)) {
      const morphs = targets.get(mesh.geometry);
      const influences = mesh.morphTargetInfluences;
      if (!morphs || !influences) continue;
      const names = influences.map(() => "");
      for (const [name, index] of Object.entries(mesh.morphTargetDictionary ?? {})) names[index] = name;
      const weights = weightsOfTargets(names);
      const inward = weights.indexOf(weightOf("eyeLookInLeft"));
      eyesMorph ||= isEyeball(mesh, parts) && inward >= 0 && morphs.reach(inward) > 0;
      influences.fill(0);
      this.faces.push({ influences, weights });
      this.meshes.push(new MorphedMesh(mesh, morphs));
    }
    this.eyesMorph = eyesMorph;
    if (!light) return;
    for (const mesh of meshesOf(scene)) {
      if (mesh.material instanceof MeshStandardMaterial) this.painted.push(new PaintedMesh(mesh, scene, light));
    }
  }

  move(pose: Float32Array, idle: Idle): void {
    for (const { influences, weights } of this.faces) {
      for (let i = 0; i < weights.length; i++) {
        const weight = weights[i];
        if (weight !== undefined) influences[i] = weightAt(pose, weight, idle);
      }
    }
    for (const mesh of this.meshes) mesh.update();
    this.rig.turnHead(pose, idle.pitch);
    if (!this.eyesMorph) this.rig.turnEyes(angles(pose, "left", idle), angles(pose, "right", idle));
    if (this.painted.length === 0) return;
    this.scene.updateWorldMatrix(true, true);
    this.toScene.copy(this.scene.matrixWorld).invert();
    for (const mesh of this.painted) mesh.update(this.toScene);
  }

  dispose(): void {
    const last = this.release();
    for (const mesh of this.painted) mesh.dispose(last);
    for (const mesh of this.meshes) mesh.dispose(last);
    for (const mesh of meshesOf(this.scene)) (mesh as Partial<SkinnedMesh>).skeleton?.dispose();
  }
}

const BLINKS: readonly number[] = [weightOf("eyeBlinkLeft"), weightOf("eyeBlinkRight")];

/** A weight of a pose, with the blinks of a face at rest. */
export function weightAt(pose: Float32Array, weight: number, idle: Idle): number {
  const value = pose[weight] ?? 0;
  return BLINKS.includes(weight) ? Math.max(value, idle.blink) : value;
}

/** Where an eye looks, with its darts. */
export function angles(pose: Float32Array, side: "left" | "right", idle: Idle): { yaw: number; pitch: number } {
  const { yaw, pitch } = eyeAngles(pose.subarray(0, WEIGHTS), side);
  return { yaw: yaw + idle.eyes.yaw, pitch: pitch + idle.eyes.pitch };
}

export function meshesOf(scene: Object3D): Mesh[] {
  const meshes: Mesh[] = [];
  scene.traverse((node) => {
    if ((node as Mesh).isMesh) meshes.push(node as Mesh);
  });
  return meshes;
}

/** Whether a mesh is an eyeball, which turns by bones or by its own morph targets, never by both. */
function isEyeball(mesh: Mesh, { leftEye, rightEye }: Parts): boolean {
  if ([leftEye, rightEye].some((eye) => eye && isUnder(mesh, eye))) return true;
  return /eye(s|ball|left|right|_?[lr]\b|$)/i.test(mesh.name) && !/lash|brow|lid|shadow/i.test(mesh.name);
}

/** Puts all of a scene under a node that turns about a point. */
function pivoted(scene: Object3D, point: Vector3): Object3D {
  const pivot = new Group();
  for (const child of [...scene.children]) pivot.add(child);
  for (const child of pivot.children) child.position.sub(point);
  pivot.position.copy(point);
  scene.add(pivot);
  return pivot;
}

const VERTICES_LOOKED_AT = 20000; // of a mesh
const SIZES = { least: 1e-6, most: 1e6 }; // of what can be scaled to its place, in the file's unit

/** Bounds of the head at rest: of what moves with the head's bone, or of all. body: becomes the bounds of all. Throws
 * CharacterError where there is nothing to be seen. */
export function headBounds(scene: Object3D, { head }: Parts, body: Box3): Box3 {
  const bounds = new Box3();
  const point = new Vector3();
  scene.updateMatrixWorld(); // not updateWorldMatrix, after which skins are where they were
  const toScene = scene.matrixWorld.clone().invert();
  for (const mesh of meshesOf(scene)) {
    const { position, skinIndex, skinWeight } = mesh.geometry.attributes;
    if (!position || !mesh.visible) continue;
    const skinned = mesh as SkinnedMesh;
    const headBones = new Set<number>();
    if (skinned.isSkinnedMesh && head) {
      skinned.skeleton.bones.forEach((bone, index) => void (isUnder(bone, head) && headBones.add(index)));
    }
    const whole = head !== undefined && !skinned.isSkinnedMesh && isUnder(mesh, head);
    const step = Math.ceil(position.count / VERTICES_LOOKED_AT);
    for (let i = 0; i < position.count; i += step) {
      mesh.getVertexPosition(i, point).applyMatrix4(mesh.matrixWorld).applyMatrix4(toScene);
      body.expandByPoint(point);
      let share = whole ? 1 : 0;
      for (let j = 0; skinIndex && skinWeight && j < 4; j++) {
        if (headBones.has(skinIndex.getComponent(i, j))) share += skinWeight.getComponent(i, j);
      }
      if (share > 0.5) bounds.expandByPoint(point);
    }
  }
  if (bounds.isEmpty()) bounds.copy(body);
  for (const box of [bounds, body]) {
    const size = box.getSize(point);
    if (!box.isEmpty() && size.y > SIZES.least && size.length() < SIZES.most) continue;
    throw new CharacterError(
      "The character cannot be shown: it has no surface, or one that is infinitely small or large. Export it again.",
    );
  }
  return bounds;
}
