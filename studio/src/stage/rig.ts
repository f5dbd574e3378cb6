/** The parts of a character that turn: neck, head and eyes, found by their names, and how a pose turns them. */

import { type Bone, MathUtils, type Mesh, type Object3D, Quaternion, type SkinnedMesh, Vector3 } from "three";
import { WEIGHTS, wordsOf } from "./arkit.ts";

/** Share of the head's rotation that the neck takes. */
const NECK_SHARE = 0.4;

export interface Parts {
  neck: Object3D | undefined;
  head: Object3D | undefined;
  leftEye: Object3D | undefined;
  rightEye: Object3D | undefined;
  /** The upper ones. */
  leftArm: Object3D | undefined;
  rightArm: Object3D | undefined;
}

/** Finds the parts of a scene by their names, as the usual programs and avatars write them: head, mixamorigHead,
 * CC_Base_L_Eye. Bones come first. */
export function findParts(scene: Object3D): Parts {
  const nodes: { node: Object3D; words: string[] }[] = [];
  scene.traverse((node) => {
    if ((node as SkinnedMesh).isSkinnedMesh) return; // it moves with its bones only
    const words = wordsOf(node.name).filter((word) => !/^(\d+|jnt|joint|bone)$/.test(word));
    nodes.push({ node, words });
  });
  nodes.sort((a, b) => rank(a.node) - rank(b.node));
  const find = (fits: (words: string[]) => boolean) => nodes.find(({ words }) => fits(words))?.node;
  const eye = (side: string) =>
    find((words) => words.includes("eye") && words.slice(-2).some((word) => word === side || word === side[0]));
  const head = find((words) => words.at(-1) === "head");
  const neck = find((words) => words.at(-1) === "neck");
  const arm = (side: string) =>
    find((words) => {
      const others = words.filter((word) => word !== side && word !== side[0]);
      const last = others.slice(-2).join("");
      return others.length < words.length && /(upper|^(?!.*(fore|lower)).*)arm$/.test(last);
    });
  return {
    head,
    neck: head && neck && isUnder(head, neck) ? neck : undefined,
    leftEye: eye("left"),
    rightEye: eye("right"),
    leftArm: arm("left"),
    rightArm: arm("right"),
  };
}

const ARM_AT_REST = 1.3; // radians below the horizontal

/** Lowers the arms of a figure, most of which stand with them out. */
export function lowerArms(arms: readonly (Object3D | undefined)[]): void {
  for (const arm of arms) {
    const elbow = arm?.children[0];
    if (!arm?.parent || !elbow) continue;
    const along = elbow.getWorldPosition(new Vector3()).sub(arm.getWorldPosition(new Vector3())).normalize();
    const side = Math.sign(along.x) || 1;
    const rest = new Vector3(side * Math.cos(ARM_AT_REST), -Math.sin(ARM_AT_REST), 0);
    const turn = new Quaternion().setFromUnitVectors(along, rest);
    const parent = arm.parent.getWorldQuaternion(new Quaternion());
    arm.quaternion.premultiply(parent).premultiply(turn).premultiply(parent.invert());
  }
}

const rank = (node: Object3D) => ((node as Bone).isBone ? 0 : (node as Mesh).isMesh ? 2 : 1);

/** Whether a node is another, or lies under it. */
export function isUnder(node: Object3D, ancestor: Object3D): boolean {
  return node === ancestor || (node.parent !== null && isUnder(node.parent, ancestor));
}

/** A part and what its rotation is reckoned from: that of its parent at rest, and its own, in the scene's frame. */
class Joint {
  private readonly node: Object3D;
  private readonly parentAtRest = new Quaternion();
  private readonly atRest = new Quaternion();

  constructor(node: Object3D, scene: Object3D) {
    this.node = node;
    this.atRest.copy(node.quaternion);
    for (let parent = node.parent; parent && parent !== scene.parent; parent = parent.parent) {
      this.parentAtRest.premultiply(parent.quaternion);
    }
  }

  /** Turns the part by a rotation in the scene's frame, beyond that of its parent. */
  turn(rotation: Quaternion): void {
    // parent^-1 rotation parent rest: the rotation, seen from the parent's axes.
    this.node.quaternion.copy(this.parentAtRest).invert().multiply(rotation);
    this.node.quaternion.multiply(this.parentAtRest).multiply(this.atRest);
  }
}

/** Degrees that an eye is turned by: yaw > 0 to the subject's left, pitch > 0 down. */
export interface EyeAngles {
  yaw: number;
  pitch: number;
}

export class Rig {
  private readonly neck: Joint | undefined;
  private readonly head: Joint | undefined;
  private readonly leftEye: Joint | undefined;
  private readonly rightEye: Joint | undefined;
  private readonly whole = new Quaternion();
  private readonly part = new Quaternion();

  constructor(scene: Object3D, parts: Parts) {
    const joint = (node: Object3D | undefined) => node && new Joint(node, scene);
    this.neck = joint(parts.neck);
    this.head = joint(parts.head);
    this.leftEye = joint(parts.leftEye);
    this.rightEye = joint(parts.rightEye);
  }

  /** Turns neck and head. breath: degrees of the neck's pitch, which the head makes good for. */
  turnHead(pose: Float32Array, breath: number): void {
    this.whole.fromArray(pose, WEIGHTS);
    if (this.neck) {
      this.part
        .identity()
        .slerp(this.whole, NECK_SHARE)
        .multiply(turned({ yaw: 0, pitch: breath }));
      this.neck.turn(this.part);
      this.whole.premultiply(this.part.invert());
    }
    this.head?.turn(this.whole);
  }

  turnEyes(left: EyeAngles, right: EyeAngles): void {
    this.leftEye?.turn(turned(left));
    this.rightEye?.turn(turned(right));
  }
}

const turn = new Quaternion();

function turned({ yaw, pitch }: EyeAngles): Quaternion {
  const [x, y] = [MathUtils.degToRad(pitch) / 2, MathUtils.degToRad(yaw) / 2];
  // Ry(yaw) Rx(pitch)
  const [cx, sx, cy, sy] = [Math.cos(x), Math.sin(x), Math.cos(y), Math.sin(y)];
  return turn.set(sx * cy, cx * sy, -sx * sy, cx * cy);
}
