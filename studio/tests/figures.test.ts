import { expect, test } from "vitest";
import { Figures, Means, Rate } from "../src/figures.ts";

test("a rate counts the events of the last second", () => {
  const rate = new Rate();
  for (let now = 0; now <= 2000; now += 100) rate.add(now);
  expect(rate.at(2000)).toBe(10);
  expect(rate.at(2550)).toBe(5);
  expect(rate.at(9999)).toBe(0);
});

test("means follow slowly, and forget steps that are not taken any more", () => {
  const means = new Means();
  means.add({ decode: 10, refine: 2 });
  means.add({ decode: 20, refine: null });
  expect(means.entries).toEqual([["decode", 11]]);
});

test("figures sum up answers", () => {
  const figures = new Figures();
  const answer = (capturedAt: number, answeredAt: number, dropped: number) =>
    figures.answered({ faces: [1, 2], capturedAt, answeredAt, timing: { decode: 1 }, dropped });
  answer(0, 40, 1);
  answer(100, 160, 2);
  figures.drawn(100, 190);
  expect(figures).toMatchObject({ answers: 2, dropped: 3, faces: 2, roundTrip: 50, latency: 90 });
  expect(figures.answersPerSecond(170)).toBe(2);
  figures.restart();
  expect(figures).toMatchObject({ answers: 2, roundTrip: undefined, latency: undefined });
});
