import { expect, test } from "vitest";
import { Median } from "../src/median.ts";

test("the median is of the latest values, and between the middle two of an even number", () => {
  const median = new Median(4);
  expect(median.value).toBeUndefined();
  for (const value of [100, 3, 1, 2]) median.add(value);
  expect(median.value).toBe(2.5);
  median.add(4); // 100 is forgotten
  expect(median.value).toBe(2.5);
  median.add(10);
  median.add(11);
  expect(median.value).toBe(7);
});
