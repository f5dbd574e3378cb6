import { expect, test } from "vitest";
import { CharacterChoices, titleOf } from "../../src/people/characters.ts";

test("people who have not chosen get characters by turns", () => {
  const choices = new CharacterChoices(["goblin", "cat"]);
  expect([1, 2, 3].map((person) => choices.of(person))).toEqual([
    { name: "goblin" },
    { name: "cat" },
    { name: "goblin" },
  ]);
});

test("a choice stays with the number; files are not kept for the next visit", () => {
  const choices = new CharacterChoices(undefined, [[2, "robot"]]);
  const file = new File([], "me.vrm");
  choices.choose(1, { file });
  choices.choose(3, { name: "alien" });
  expect(choices.of(1)).toEqual({ file });
  expect(choices.named).toEqual([
    [2, "robot"],
    [3, "alien"],
  ]);
});

test("a choice that is not kept forgets what was kept before", () => {
  const choices = new CharacterChoices(undefined, [[1, "robot"]]);
  choices.choose(1, { file: new File([], "me.vrm") });
  expect(choices.named).toEqual([]);
});

test("titles are names for people", () => {
  expect(titleOf({ name: "goblin" })).toBe("Goblin");
  expect(titleOf({ file: new File([], "My.Avatar.VRM") })).toBe("My.Avatar");
});
