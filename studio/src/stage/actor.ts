/** A person on the stage: a motion, a character that shows it, and the place where it stands. */

import { ARKIT_NAMES } from "mfn-client";
import { Euler, Group, MathUtils, Plane, Quaternion, Vector3 } from "three";
import { WEIGHTS } from "./arkit.ts";
import { type Character, meshesOf } from "./character.ts";
import { Footing } from "./ground.ts";
import { Idle } from "./idle.ts";
import { Eased } from "./layout.ts";
import { mirrorPose } from "./mirror.ts";
import { Motion, neutralPose } from "./motion.ts";
import { CharacterError, type CharacterState } from "./stage.ts";

/** A slot's size where a head is at most one unit high. */
export const SLOT = { width: 1.3, height: 1.62 };
const HEAD_WIDTH = 1.2;
const BODY_HEIGHT = 1.4; // of what is shown: head and neck
const BELOW_HEAD = 0.42; // of a figure's body that is shown, in heights of the head
const GROUND = -SLOT.height / 2 + 0.14; // of the slot's middle

const SLIDE_MS = 160;
const GROW_MS = 120;

export class Actor {
  readonly person: number;
  readonly group = new Group();
  readonly motion = new Motion();
  readonly footing: Footing;
  gazeKnown = false;
  leaving = false;
  /** Characters asked for; the latest counts. */
  wishes = 0;
  readonly x = new Eased(0, SLIDE_MS);
  readonly y = new Eased(0, SLIDE_MS);
  readonly size = new Eased(0, GROW_MS);

  private readonly idle = new Idle();
  private readonly cut = new Plane(new Vector3(0, 1, 0), 0); // figures end at the ground, as busts
  private readonly turned = new Group(); // to the viewer, about the slot's middle
  private readonly stand = new Group(); // scales the character to its slot
  private character: Character | undefined;
  private readonly mirrored = neutralPose();
  private readonly weights: Record<string, number> = {};
  private readonly rotation = new Quaternion();
  private readonly angles = new Euler();
  readonly state: { -readonly [K in keyof CharacterState]: CharacterState[K] };

  constructor(person: number, colour: string) {
    this.person = person;
    this.footing = new Footing(colour);
    this.footing.mesh.position.set(0, GROUND, 0);
    this.turned.add(this.stand);
    this.group.add(this.turned, this.footing.mesh);
    for (const name of ARKIT_NAMES) this.weights[name] = 0;
    this.state = { person, weights: this.weights, yaw: 0, pitch: 0, roll: 0, capturedAt: 0, drawnAt: 0 };
  }

  get worn(): boolean {
    return this.character !== undefined;
  }

  /** Puts a character on, and takes the one before off. */
  wear(character: Character): void {
    this.takeOff();
    this.character = character;
    const head = character.head.getSize(new Vector3());
    const bottom = Math.max(character.body.min.y, character.head.min.y - BELOW_HEAD * head.y);
    const scale = Math.min(1 / head.y, HEAD_WIDTH / head.x, BODY_HEIGHT / (character.head.max.y - bottom));
    const middle = character.head.getCenter(new Vector3());
    this.stand.scale.setScalar(scale);
    this.stand.position.set(-middle.x * scale, GROUND - bottom * scale, -middle.z * scale);
    this.stand.add(character.scene);
    if (bottom > character.body.min.y) {
      for (const mesh of meshesOf(character.scene)) {
        for (const material of [mesh.material].flat()) material.clippingPlanes = [this.cut];
      }
    }
    const width = Math.max((character.body.max.x - character.body.min.x) * scale, 0.7);
    this.footing.mesh.scale.setScalar(Math.min(1.36 * width, SLOT.width));
  }

  /** Turns the character so that it faces a viewer in front of the stage's middle: a face that looks ahead looks at
   * them, wherever it stands. */
  face(distance: number): void {
    this.turned.rotation.y = -Math.atan2(this.x.value, distance);
  }

  /** Moves to the display frame at now. elapsed: milliseconds since the one before. Throws CharacterError, once, where
   * the character fails; it is taken off, and all else goes on. */
  update(now: number, elapsed: number, mirror: boolean, still: boolean): void {
    const { motion, idle, state } = this;
    motion.update(now);
    if (!still) idle.update(now, motion.resting, this.gazeKnown);
    const pose = mirror ? this.mirrored : motion.pose;
    if (mirror) mirrorPose(motion.pose, pose);
    this.group.position.set(this.x.value, this.y.value, 0);
    this.group.scale.setScalar(Math.max(this.size.value, 0.001));
    this.cut.constant = -(this.y.value + GROUND * this.group.scale.y);
    this.footing.opacity = this.size.value;
    ARKIT_NAMES.forEach((name, i) => {
      this.weights[name] = motion.pose[i] ?? 0;
    });
    this.angles.setFromQuaternion(this.rotation.fromArray(motion.pose, WEIGHTS), "ZYX");
    state.yaw = MathUtils.radToDeg(this.angles.y);
    state.pitch = MathUtils.radToDeg(this.angles.x);
    state.roll = MathUtils.radToDeg(this.angles.z);
    state.capturedAt = motion.capturedAt;
    state.drawnAt = now;
    this.moveCharacter(pose, elapsed);
  }

  dispose(): void {
    this.takeOff();
    this.footing.dispose();
    this.group.removeFromParent();
  }

  private moveCharacter(pose: Float32Array, elapsed: number): void {
    try {
      this.character?.move(pose, this.idle, elapsed);
    } catch (error) {
      this.takeOff();
      throw new CharacterError(
        `The character of person ${this.person} has failed and was taken off: choose another one. (${String(error)})`,
      );
    }
  }

  private takeOff(): void {
    const { character } = this;
    this.character = undefined;
    character?.scene.removeFromParent();
    character?.dispose();
  }
}
