import { expect, test } from "vitest";
import { Strongest } from "../../src/people/strongest.ts";

const names = (strongest: Strongest, weights: Record<string, number>) =>
  strongest.update(weights).map(({ name }) => name);

test("the strongest are shown, with their values", () => {
  const strongest = new Strongest(2);
  expect(strongest.update({ a: 0.1, b: 0.9, c: 0.5 })).toEqual([
    { name: "b", value: 0.9 },
    { name: "c", value: 0.5 },
  ]);
});

test("rows stay where they are while others are hardly stronger, and change when one is", () => {
  const strongest = new Strongest(2);
  names(strongest, { a: 0.1, b: 0.9, c: 0.5 });
  expect(names(strongest, { a: 0.55, b: 0.6, c: 0.5 })).toEqual(["b", "c"]);
  expect(names(strongest, { a: 0.65, b: 0.6, c: 0.5 })).toEqual(["b", "a"]);
  expect(names(strongest, { a: 0.9, b: 0.6, c: 0.5 })).toEqual(["a", "b"]);
});

test("fewer weights than rows are all shown", () => {
  expect(names(new Strongest(5), { a: 0, b: 1 })).toEqual(["b", "a"]);
});
