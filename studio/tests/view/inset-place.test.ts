import { expect, test } from "vitest";
import { aside, clampPlace, grown, placeOf, positionOf, stepOf, toggled } from "../../src/view/inset-place.ts";

const WINDOW = { width: 1000, height: 800 };
const ASPECT = 4 / 3;

test("a place comes back from its position, held by the nearest corner", () => {
  const place = placeOf(700, 20, 240, ASPECT, WINDOW);
  expect(place).toEqual({ corner: "top-right", x: 60, y: 20, width: 240 });
  expect(positionOf(place, ASPECT, WINDOW)).toEqual({ left: 700, top: 20 });
});

test("in a window of another size it stays at its corner", () => {
  const place = placeOf(700, 600, 240, ASPECT, WINDOW);
  expect(positionOf(place, ASPECT, { width: 1500, height: 900 })).toEqual({ left: 1200, top: 700 });
});

test.each([
  { corner: "top-left", x: -500, y: 5000, width: 240 },
  { corner: "bottom-right", x: 5000, y: -5, width: 1 },
  { corner: "top-right", x: 0, y: 0, width: 99999 },
] as const)("%o is put inside the window", (place) => {
  const clamped = clampPlace(place, ASPECT, WINDOW);
  const { left, top } = positionOf(clamped, ASPECT, WINDOW);
  expect(clamped.width).toBeGreaterThanOrEqual(120);
  expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
  expect(left + clamped.width).toBeLessThanOrEqual(WINDOW.width);
  expect(top + clamped.width / ASPECT).toBeLessThanOrEqual(WINDOW.height);
});

test("without a width it is as fits the window", () => {
  const place = { corner: "top-left", x: 16, y: 16, width: 0 } as const;
  expect(clampPlace(place, ASPECT, WINDOW).width).toBe(240);
  expect(clampPlace(place, ASPECT, { width: 390, height: 844 }).width).toBe(140);
  expect(clampPlace(place, ASPECT, { width: 640, height: 480 }).width).toBe(192);
});

test("arrow keys move it, other keys do not", () => {
  const steps = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map(stepOf);
  expect(steps).toEqual([
    [-16, 0],
    [16, 0],
    [0, -16],
    [0, 16],
  ]);
  expect(stepOf("a")).toBeUndefined();
});

test("it grows from the width that fits the window, and shrinks back", () => {
  const place = { corner: "top-left", x: 16, y: 16, width: 0 } as const;
  const larger = grown(place, 1, ASPECT, WINDOW);
  expect(larger.width).toBe(300);
  expect(grown(larger, -1, ASPECT, WINDOW).width).toBe(240);
});

test("it is large, and as fits the window again", () => {
  const place = { corner: "top-left", x: 16, y: 16, width: 0 } as const;
  const large = toggled(place, ASPECT, WINDOW);
  expect(large.width).toBe(500);
  expect(toggled(large, ASPECT, WINDOW)).toEqual(place);
});

test("characters stand beside it in a wide window and below it in a high one, unless it reaches far in", () => {
  const inset = { left: 16, top: 16, width: 240, height: 180 };
  const none = { left: 0, right: 0, top: 0 };
  expect(aside(inset, WINDOW)).toEqual({ ...none, left: 264 });
  expect(aside({ ...inset, left: 744 }, WINDOW)).toEqual({ ...none, right: 264 });
  expect(aside(inset, { width: 390, height: 844 })).toEqual({ ...none, top: 204 });
  for (const large of [
    { ...inset, width: 500, height: 375 },
    { ...inset, left: 380 },
  ])
    expect(aside(large, WINDOW)).toEqual(none);
  expect(aside({ ...inset, top: 600 }, { width: 390, height: 844 })).toEqual(none);
  expect(aside({ left: 0, top: 0, width: 0, height: 0 }, WINDOW)).toEqual(none); // hidden
});
