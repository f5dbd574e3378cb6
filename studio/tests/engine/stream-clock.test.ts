import { expect, test } from "vitest";
import { StreamClock } from "../../src/engine/stream-clock.ts";

test("times go on as they are while frames come", () => {
  const clock = new StreamClock();
  expect([1000, 1033, 1066].map((captured) => clock.at(captured))).toEqual([1000, 1033, 1066]);
});

test("a pause is shorter than the second that the service takes for another recording", () => {
  const clock = new StreamClock();
  clock.at(1000);
  const after = clock.at(61_000);
  expect(after - 1000).toBeLessThan(1000);
  expect(clock.at(61_033) - after).toBe(33);
});

test("times rise, also where the browser's clock stands still or goes back", () => {
  const clock = new StreamClock();
  let before = clock.at(1000);
  for (const captured of [1000, 990, 990, 1000]) {
    const time = clock.at(captured);
    expect(Math.round(time * 1000)).toBeGreaterThan(Math.round(before * 1000));
    before = time;
  }
});
