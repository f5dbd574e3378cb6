import { expect, test } from "vitest";
import { Pacing } from "../../src/engine/pacing.ts";

/** Runs a camera of 30 frames a second before a service that works at one frame at a time, and lets one wait, of which
 * a newer one takes the place. Returns frames answered and dropped a second, and how long one waits on average. */
function serve(milliseconds: number, told: number, seconds: number) {
  const pacing = new Pacing();
  const waiting: number[] = [];
  let busyUntil: number | undefined;
  let [answered, dropped, waited] = [0, 0, 0];
  for (let now = 0; now < 1000 * seconds; now++) {
    if (busyUntil !== undefined && now >= busyUntil) {
      pacing.ended(told);
      answered++;
      busyUntil = undefined;
    }
    const next = busyUntil === undefined ? waiting.shift() : undefined;
    if (next !== undefined) {
      busyUntil = now + milliseconds;
      waited += now - next;
    }
    if (now % 33 !== 0 || !pacing.due(now)) continue;
    pacing.taken(now);
    pacing.sent();
    if (waiting.length > 0) {
      waiting.shift();
      pacing.ended(undefined);
      dropped++;
    }
    waiting.push(now);
  }
  return { answered: answered / seconds, dropped: dropped / seconds, waited: waited / answered };
}

test("a service that is quicker than the camera looks at every frame, at once", () => {
  const { answered, dropped, waited } = serve(20, 18, 30);
  expect(answered).toBeGreaterThan(29);
  expect(dropped).toBe(0);
  expect(waited).toBeLessThan(2);
});

test("a service that is slower than the camera is kept busy, and few frames are dropped or wait long", () => {
  const { answered, dropped, waited } = serve(60, 50, 60);
  expect(answered).toBeGreaterThan(14);
  expect(dropped).toBeLessThan(2);
  expect(waited).toBeLessThan(60);
});

test("the first frame, and one after all have ended, is taken at any time", () => {
  const pacing = new Pacing();
  expect(pacing.due(0)).toBe(true);
  pacing.taken(0);
  pacing.sent();
  expect(pacing.due(1)).toBe(false);
  expect(pacing.due(34)).toBe(true);
  pacing.ended(500);
  expect(pacing.due(2)).toBe(true);
});
