import type { Face } from "mfn-client";
import { expect, test, vi } from "vitest";
import type { FrameAnswer } from "../../src/engine/engine.ts";
import { Cast, RETRY_MS } from "../../src/people/cast.ts";
import { CharacterChoices } from "../../src/people/characters.ts";
import { KEEP_MS } from "../../src/people/people.ts";
import { CharacterError } from "../../src/stage/stage.ts";
import { face } from "../face.ts";

const GONE = new CharacterError("The character human cannot be fetched.");
const settled = () => new Promise((resolve) => setTimeout(resolve));

/** A cast before a stage, views and a reader that note what they are told. */
function cast() {
  const stage = { enter: vi.fn(async () => {}), leave: vi.fn(), drive: vi.fn(), rest: vi.fn(), mirror: false };
  const chips = { show: vi.fn(), setSeen: vi.fn(), setBusy: vi.fn(), remove: vi.fn() };
  const tell = vi.fn();
  const made = new Cast(stage, new CharacterChoices(["human", "cat"]), chips, tell);
  return { made, stage, chips, tell };
}

function answer(now: number, ...faces: Face[]): FrameAnswer {
  const image = { width: 1000, height: 800 };
  return { faces, image, capturedAt: now, answeredAt: now, timing: {}, dropped: 0, restarted: false };
}

test("who comes gets a character and a colour, is driven while seen, rests while awaited, and leaves", () => {
  const { made, stage, chips } = cast();
  made.update(answer(0, face(1, 450)));
  expect(stage.enter).toHaveBeenCalledWith(1, { name: "human" }, "#3183d5");
  expect(stage.drive).toHaveBeenCalledWith(1, face(1, 450), 0.5, 0, 0); // the box is 100 pixels wide
  expect(made.sees(1)).toBe(true);
  made.update(answer(100));
  expect(stage.rest).toHaveBeenCalledWith(1);
  expect(chips.setSeen).toHaveBeenLastCalledWith(1, false);
  expect([made.sees(1), made.numbers]).toEqual([false, [1]]);
  made.update(answer(101 + KEEP_MS));
  expect(stage.leave).toHaveBeenCalledWith(1);
  expect(chips.remove).toHaveBeenCalledWith(1);
  expect(made.numbers).toEqual([]);
});

test("a character that cannot be fetched is told, and tried again until it can", async () => {
  const { made, stage, tell } = cast();
  stage.enter.mockRejectedValueOnce(GONE).mockRejectedValueOnce(GONE);
  made.update(answer(0, face(1, 0)));
  await settled();
  expect(tell).toHaveBeenLastCalledWith(GONE);
  made.update(answer(RETRY_MS - 1, face(1, 0)));
  expect(stage.enter).toHaveBeenCalledTimes(1);
  made.update(answer(RETRY_MS, face(1, 0)));
  await settled();
  made.update(answer(2 * RETRY_MS, face(1, 0)));
  await settled();
  expect(stage.enter).toHaveBeenCalledTimes(3);
  expect(tell).toHaveBeenLastCalledWith(undefined);
  made.update(answer(9 * RETRY_MS, face(1, 0)));
  expect(stage.enter).toHaveBeenCalledTimes(3);
});

test("a choice takes the place of a character that could not be fetched", async () => {
  const { made, stage } = cast();
  stage.enter.mockRejectedValueOnce(GONE);
  made.update(answer(0, face(1, 0)));
  await settled();
  expect(await made.choose(1, { name: "robot" })).toBe(true);
  made.update(answer(RETRY_MS, face(1, 0)));
  expect(stage.enter).toHaveBeenCalledTimes(2);
  expect(made.titleOf(1)).toBe("Robot");
});

test("a character that cannot be used leaves the one before", async () => {
  const { made, stage, chips, tell } = cast();
  made.update(answer(0, face(1, 0)));
  const error = new CharacterError("The file is damaged.");
  stage.enter.mockRejectedValueOnce(error);
  expect(await made.choose(1, { file: new File([], "me.glb") })).toBe(false);
  expect(tell).toHaveBeenCalledWith(error);
  expect(chips.show).toHaveBeenLastCalledWith(1, { name: "human" });
  expect(await made.choose(2, { name: "cat" })).toBe(false); // nobody is there
});

test("a choice stays with the number when somebody leaves and another comes", async () => {
  const { made, stage } = cast();
  made.update(answer(0, face(1, 0)));
  const file = new File([], "me.vrm");
  await made.choose(1, { file });
  made.update(answer(100));
  made.update(answer(101 + KEEP_MS));
  made.update(answer(5000, face(9, 700)));
  expect(stage.enter).toHaveBeenLastCalledWith(1, { file }, expect.anything());
});

test("a neutral face is taken in a second, and outlives the tracks of a connection", () => {
  const { made, stage } = cast();
  const smiling = (track: number, smile: number) => {
    const rest = face(track, 0);
    return face(track, 0, { expression: { ...rest.expression, mouthSmile_L: smile } });
  };
  const driven = (): Face | undefined => stage.drive.mock.lastCall?.[1];
  const shown = () => driven()?.blendshapes?.mouthSmileLeft;
  made.update(answer(0, smiling(1, 0.2)));
  made.takeNeutral();
  made.update(answer(100, smiling(1, 0.2)));
  expect(made.neutral.value).toBe("collecting");
  const { absolute, relative } = made.update(answer(1100, smiling(1, 0.6)));
  expect(made.neutral.value).toBe("on");
  expect(shown()).toBeCloseTo((0.6 - 0.2) / (1 - 0.2));
  expect([absolute[0]?.face.expression.mouthSmile_L, relative[0]?.face.neutral]).toEqual([0.6, "on"]);
  made.restAll(); // the connection is lost, and another one begins with tracks of its own
  made.update(answer(1500, smiling(7, 0.2)));
  expect([shown(), made.neutral.value]).toEqual([0, "on"]);
  made.forgetNeutral();
  made.update(answer(1600, smiling(7, 0.2)));
  expect(driven()).toEqual(smiling(7, 0.2));
});
