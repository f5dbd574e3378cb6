import { Box3, Group, Vector3 } from "three";
import { expect, test, vi } from "vitest";
import { Actor } from "../../src/stage/actor.ts";
import type { Character } from "../../src/stage/character.ts";
import { neutralPose } from "../../src/stage/motion.ts";
import { CharacterError } from "../../src/stage/stage.ts";

function character(move: Character["move"]): Character {
  const box = new Box3(new Vector3(-0.1, 0, -0.1), new Vector3(0.1, 0.3, 0.1));
  return { scene: new Group(), head: box, body: box.clone(), move, dispose: vi.fn() };
}

test("a character that fails is taken off and told once; its person's motion goes on", () => {
  const actor = new Actor(2, "#ff0000");
  const bad = character(() => {
    throw new TypeError("bones are missing");
  });
  actor.wear(bad);
  const pose = neutralPose();
  pose[0] = 0.5;
  actor.motion.take(pose, 1, 2);
  expect(() => actor.update(10, 16, false, false)).toThrow(CharacterError);
  expect([actor.worn, bad.scene.parent]).toEqual([false, null]);
  expect(bad.dispose).toHaveBeenCalledOnce();
  for (let now = 20; now < 1000; now += 10) actor.update(now, 10, false, false);
  expect(actor.state.drawnAt).toBe(990);
  expect(actor.state.weights.browDownLeft).toBeCloseTo(0.5, 3);

  const good = character(vi.fn());
  actor.wear(good);
  actor.update(1000, 10, false, false);
  expect(good.move).toHaveBeenCalledOnce();
});

test("a character faces the viewer wherever it stands", () => {
  const actor = new Actor(1, "#ff0000");
  const still = character(vi.fn());
  actor.wear(still);
  actor.x.toward(3, 0, true);
  actor.size.toward(1, 0, true);
  actor.face(4); // which is at (0, 0, 4)
  actor.update(0, 0, false, true);
  actor.group.updateMatrixWorld(true);
  const ahead = new Vector3(0, 0, 1).transformDirection(still.scene.matrixWorld);
  expect(ahead.x).toBeCloseTo(-3 / 5, 6);
  expect(ahead.z).toBeCloseTo(4 / 5, 6);
});

test("the sentence names the person", () => {
  const actor = new Actor(2, "#ff0000");
  actor.wear(
    character(() => {
      throw new TypeError("bones are missing");
    }),
  );
  expect(() => actor.update(10, 16, false, false)).toThrow(
    "The character of person 2 has failed and was taken off: choose another one. (TypeError: bones are missing)",
  );
});
