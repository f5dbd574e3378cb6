import { describe, expect, test } from "vitest";
import { KEEP_MS, People } from "../../src/people/people.ts";
import { face } from "../face.ts";

const WIDTH = 1000; // pixels across the frames
const persons = (update: ReturnType<People["update"]>) => update.seen.map(({ person }) => person);

describe("people", () => {
  test("get numbers in the order in which they come", () => {
    const people = new People();
    expect(people.update([face(7, 300)], WIDTH, 0).entered).toEqual([1]);
    expect(persons(people.update([face(7, 300), face(9, 0)], WIDTH, 33))).toEqual([1, 2]);
    expect(people.numbers).toEqual([1, 2]);
  });

  test("who come together are numbered from the left of what is shown", () => {
    const faces = [face(7, 300), face(9, 0), face(8, 600)];
    expect(persons(new People().update(faces, WIDTH, 0))).toEqual([2, 1, 3]);
    expect(persons(new People().update(faces, WIDTH, 0, true))).toEqual([2, 3, 1]);
    const people = new People();
    people.update(faces.slice(0, 2), WIDTH, 0, true);
    people.forgetPlaces();
    expect(persons(people.update([face(1, 0), face(2, 800)], WIDTH, 100, true))).toEqual([2, 1]);
  });

  test("keep the number as long as their track goes on, wherever they are", () => {
    const people = new People();
    const first = persons(people.update([face(1, 0), face(2, 400)], WIDTH, 0));
    const crossed = persons(people.update([face(1, 400), face(2, 0)], WIDTH, 33));
    expect(crossed).toEqual(first);
  });

  test("keep the number with a new track near where they were", () => {
    const people = new People();
    people.update([face(1, 0), face(2, 400)], WIDTH, 0);
    const away = people.update([face(1, 0)], WIDTH, 100);
    expect(away.hidden).toEqual([2]);
    const back = people.update([face(1, 0), face(3, 440)], WIDTH, 1900);
    expect(back).toMatchObject({ entered: [], left: [] });
    expect(persons(back)).toEqual([1, 2]);
  });

  test("leave after two seconds out of sight, once", () => {
    const people = new People();
    people.update([face(1, 0), face(2, 400)], WIDTH, 0);
    people.update([face(1, 0)], WIDTH, 100);
    expect(people.update([face(1, 0)], WIDTH, 100 + KEEP_MS).left).toEqual([]);
    expect(people.update([face(1, 0)], WIDTH, 101 + KEEP_MS).left).toEqual([2]);
    expect(people.update([face(1, 0)], WIDTH, 200 + KEEP_MS).left).toEqual([]);
  });

  test("do not leave while no answers come: the time counts from the first answer without them", () => {
    const people = new People();
    people.update([face(1, 0)], WIDTH, 0);
    const update = people.update([face(2, 10)], WIDTH, 60_000);
    expect(persons(update)).toEqual([1]);
    expect(update.left).toEqual([]);
  });

  test("are others when they come far away from where somebody was, or in another size", () => {
    const people = new People();
    people.update([face(1, 0)], WIDTH, 0);
    people.update([], WIDTH, 50);
    expect(persons(people.update([face(2, 400)], WIDTH, 100))).toEqual([2]);
    const near = face(3, 0, { box: { x: 0, y: 100, width: 300, height: 300 } });
    expect(persons(people.update([face(2, 400), near], WIDTH, 150))).toEqual([2, 3]);
  });

  test("are told apart by identity where two are away", () => {
    const people = new People();
    const [a, b] = [Array(50).fill(1), Array(50).fill(-1)];
    people.update([face(1, 0, { identity: a }), face(2, 120, { identity: b })], WIDTH, 0);
    people.update([], WIDTH, 50);
    const back = people.update([face(3, 60, { identity: b }), face(4, 62, { identity: a })], WIDTH, 100);
    expect(persons(back)).toEqual([2, 1]);
  });

  test("keep the number where the frames' size changes", () => {
    const people = new People();
    people.update([face(1, 0), face(2, 400)], WIDTH, 0);
    const half = (track: number, x: number) => face(track, x / 2, { box: { x: x / 2, y: 50, width: 50, height: 60 } });
    expect(persons(people.update([half(3, 400), half(4, 0)], WIDTH / 2, 100))).toEqual([2, 1]);
  });

  test("of another picture take the numbers there are from left to right, wherever they are", () => {
    const people = new People();
    people.update([face(1, 0), face(2, 400)], WIDTH, 0);
    people.forgetPlaces();
    const update = people.update([face(9, 900), face(8, 700), face(7, 1200)], WIDTH, 100);
    expect(persons(update)).toEqual([2, 1, 3]);
    expect(update.entered).toEqual([3]);
  });

  test("get a number that has become free", () => {
    const people = new People();
    people.update([face(1, 0), face(2, 400)], WIDTH, 0);
    people.update([face(2, 400)], WIDTH, 10);
    people.update([face(2, 400)], WIDTH, 3000);
    expect(persons(people.update([face(2, 400), face(3, 0)], WIDTH, 3010))).toEqual([2, 1]);
  });

  test("never share a number, whatever comes", () => {
    const people = new People();
    let seed = 1;
    const random = () => {
      seed = (seed * 48271) % 2147483647;
      return seed / 2147483647;
    };
    for (let i = 0; i < 500; i++) {
      const tracks = [1, 2, 3, 4, 5].filter(() => random() < 0.6).map((track) => track + 5 * Math.floor(i / 20));
      const update = people.update(
        tracks.map((track) => face(track, random() * 600)),
        WIDTH,
        i * 100,
      );
      expect(new Set(persons(update)).size).toBe(tracks.length);
      expect(people.numbers).toEqual([...new Set(people.numbers)]);
    }
  });
});
