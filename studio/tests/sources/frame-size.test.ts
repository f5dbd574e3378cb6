import { expect, test } from "vitest";
import { FrameBudget, frameSize } from "../../src/sources/frame-size.ts";

test("frames keep their proportions and are never enlarged", () => {
  expect(frameSize(1280, 720, 640)).toEqual({ width: 640, height: 360 });
  expect(frameSize(720, 1280, 640)).toEqual({ width: 360, height: 640 });
  expect(frameSize(320, 240, 640)).toEqual({ width: 320, height: 240 });
  expect(frameSize(4000, 3, 640)).toEqual({ width: 640, height: 1 });
});

test("frames are made smaller while answers are slow, and larger after ten quick seconds", () => {
  const budget = new FrameBudget();
  let now = 0;
  const answers = (count: number, roundTrip: number) => {
    for (let i = 0; i < count; i++) {
      now += roundTrip;
      budget.add(roundTrip, now);
    }
  };
  answers(100, 50);
  expect([budget.slow, budget.side(640)]).toEqual([false, 640]);
  answers(5, 1500);
  expect([budget.slow, budget.side(640)]).toEqual([true, 320]);
  answers(50, 1500);
  expect([budget.side(640), budget.side(1280)]).toEqual([320, 320]);
  answers(150, 50);
  expect(budget.side(1280)).toBe(320);
  answers(100, 50);
  expect(budget.side(1280)).toBe(640);
  answers(300, 50);
  expect([budget.slow, budget.side(640)]).toEqual([false, 640]);
});

test("one late answer changes nothing", () => {
  const budget = new FrameBudget();
  for (const roundTrip of [50, 50, 5000, 50, 50, 50, 4000, 50]) budget.add(roundTrip, 0);
  expect(budget.slow).toBe(false);
});
