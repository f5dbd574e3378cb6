import { expect, test } from "vitest";
import { arrange, Eased, giveWay, nearest, reorder } from "../../src/stage/layout.ts";
import { Resolution } from "../../src/stage/resolution.ts";

test.each([
  [1, 16 / 9, 1, 1],
  [2, 16 / 9, 2, 1],
  [5, 16 / 9, 3, 2],
  [2, 9 / 19.5, 1, 2],
  [20, 16 / 9, 7, 3],
])("%i characters on a stage of aspect %f stand in %i columns and %i rows", (count, aspect, columns, rows) => {
  const { places, width, height } = arrange(count, aspect, 0.8);
  expect([places.length, width, height]).toEqual([count, columns, rows]);
});

test("characters never overlap, stay on the stage, and are in order of x", () => {
  for (let count = 0; count <= 20; count++) {
    for (const aspect of [0.45, 1, 16 / 9, 3]) {
      const { places, width, height } = arrange(count, aspect, 0.8);
      expect(places).toHaveLength(count);
      expect(places.reduce((sum, { x }) => sum + x, 0)).toBeCloseTo(0, 6);
      places.forEach((place, i) => {
        expect(Math.abs(place.x) + 0.5).toBeLessThanOrEqual(width / 2 + 1e-9);
        expect(Math.abs(place.y) + 0.5).toBeLessThanOrEqual(height / 2 + 1e-9);
        for (const other of places.slice(i + 1)) {
          expect(other.x).toBeGreaterThanOrEqual(place.x);
          expect(Math.abs(place.x - other.x) >= 1 || Math.abs(place.y - other.y) >= 1).toBe(true);
        }
      });
    }
  }
});

test("people change places when they have clearly passed each other", () => {
  const order = [1, 2, 3];
  reorder(
    order,
    new Map([
      [1, 0.5],
      [2, 0.48],
      [3, 0.9],
    ]),
  );
  expect(order).toEqual([1, 2, 3]);
  reorder(
    order,
    new Map([
      [1, 0.6],
      [2, 0.4],
      [3, 0.1],
    ]),
  );
  expect(order).toEqual([3, 2, 1]);
});

test("a value comes to its goal without passing it", () => {
  const eased = new Eased(0, 100);
  let last = 0;
  for (let i = 0; i < 120; i++) {
    const value = eased.toward(1, 1000 / 60, false);
    expect(value).toBeGreaterThan(last);
    expect(value).toBeLessThanOrEqual(1);
    last = value;
  }
  expect(last).toBeCloseTo(1, 4);
  expect(eased.toward(5, 0, true)).toBe(5);
});

test("the resolution falls where frames are late, comes back where they are not, and does not swing", () => {
  const resolution = new Resolution(2, false);
  let now = 0;
  let changes = 0;
  /** A machine that draws a CSS pixel's worth in so many milliseconds. */
  const run = (frames: number, milliseconds: number) => {
    for (let i = 0; i < frames; i++) {
      const takes = milliseconds * resolution.ratio ** 2;
      now += Math.ceil(takes / (1000 / 60)) * (1000 / 60);
      if (resolution.drawn(now)) changes++;
    }
  };
  run(600, 4);
  expect(resolution.ratio).toBe(2);
  run(600, 20);
  expect(resolution.ratio).toBe(0.8);
  changes = 0;
  run(18000, 20); // five minutes
  expect(changes).toBeLessThan(16);
  run(12000, 2);
  expect(resolution.ratio).toBe(2);
});

/** Runs a stage for a minute whose processor takes milliseconds for all pixels of the page, on a display of sixty. */
function drawMinute(milliseconds: number): { drawn: number; ratio: number } {
  const resolution = new Resolution(1, true);
  let drawn = 0;
  for (let i = 0; i < 3600; i++) {
    const now = (i * 1000) / 60;
    if (!resolution.due(now)) continue;
    drawn++;
    resolution.drawn(now, milliseconds * resolution.ratio ** 2);
  }
  return { drawn, ratio: resolution.ratio };
}

test("where the processor draws quickly, every second display frame is drawn in full", () => {
  const { drawn, ratio } = drawMinute(4);
  expect(drawn).toBe(1800);
  expect(ratio).toBe(1);
});

test("where the processor draws slowly, fewer pixels are drawn, and then fewer frames", () => {
  const slower = drawMinute(60); // 15 ms at half the resolution
  expect(slower.ratio).toBe(0.5);
  expect(slower.drawn).toBeGreaterThan(1500);
  const slowest = drawMinute(400);
  expect(slowest.ratio).toBe(0.5);
  expect(slowest.drawn).toBeLessThan(60 * 13);
  expect(slowest.drawn).toBeGreaterThan(60 * 11);
});

test("a point in a row is nearest to who stands there, above or below others", () => {
  const places = [
    { person: 1, x: 100, y: 100 },
    { person: 2, x: 300, y: 100 },
    { person: 3, x: 200, y: 300 },
  ];
  expect([
    nearest(places, 90, 10)?.person,
    nearest(places, 310, 180)?.person,
    nearest(places, 110, 290)?.person,
  ]).toEqual([1, 2, 3]);
  expect(nearest([], 1, 1)).toBeUndefined();
});

// The corner at the upper left of a stage of 1000 x 500 pixels, in which a character's slot is square.
test.each([
  [1, 250, 0], // it stands from 250 to 750
  [1, 300, 100], // and then from 300 to 800, in the middle of 900
  [2, 300, 300], // who are all across the stage have the rest of it
])("%i characters beside %i covered pixels give way by %i", (count, covered, way) => {
  const stage = { width: 1000, height: 500 };
  expect(giveWay(count, stage, 1, { left: covered, top: 0 })).toEqual({ left: way, top: 0 });
  const high = { width: 500, height: 1000 };
  expect(giveWay(count, high, 1, { left: 0, top: covered })).toEqual({ left: 0, top: way });
});
