import { expect, test } from "vitest";
import { CharacterChoices, keptChoices, titleOf } from "../../src/people/characters.ts";

test("people who have not chosen get characters by turns", () => {
  const choices = new CharacterChoices(["goblin", "cat"]);
  expect([1, 2, 3].map((person) => choices.of(person))).toEqual([
    { name: "goblin" },
    { name: "cat" },
    { name: "goblin" },
  ]);
});

test("a choice stays with the number", () => {
  const choices = new CharacterChoices(undefined, [[2, "robot"]]);
  const file = new File([], "me.vrm");
  choices.choose(1, { file });
  choices.choose(3, { name: "alien" });
  expect(choices.of(1)).toEqual({ file });
  expect(choices.of(2)).toEqual({ name: "robot" });
  expect(choices.of(3)).toEqual({ name: "alien" });
});

test("choices of the page's characters are kept for the next visit; a file takes the place of one", () => {
  const kept = keptChoices([[2, "robot"]], 1, { name: "cat" });
  expect(kept).toEqual([
    [2, "robot"],
    [1, "cat"],
  ]);
  expect(keptChoices(kept, 1, { name: "alien" })).toEqual([
    [2, "robot"],
    [1, "alien"],
  ]);
  expect(keptChoices(kept, 2, { file: new File([], "me.vrm") })).toEqual([[1, "cat"]]);
});

test("titles are names for people", () => {
  expect(titleOf({ name: "goblin" })).toBe("Goblin");
  expect(titleOf({ file: new File([], "My.Avatar.VRM") })).toBe("My.Avatar");
});
