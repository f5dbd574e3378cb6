import { beforeEach, expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { Capture } from "../../src/sources/capture.ts";
import type { Source } from "../../src/sources/source.ts";

const engine = {
  ready: true,
  /** Width, height and time of each frame that was taken. */
  taken: [] as number[][],
  submit(_source: CanvasImageSource, width: number, height: number, capturedAt: number) {
    this.taken.push([width, height, capturedAt]);
    this.ready = false;
  },
};

const sourceOf = (width: number, height: number) =>
  ({ active: true, size: { width, height }, onframe: undefined }) as unknown as Source & { active: boolean };

let source: ReturnType<typeof sourceOf>;
let capture: Capture;

beforeEach(() => {
  Object.assign(engine, { ready: true, taken: [] });
  source = sourceOf(1280, 720);
  capture = new Capture(engine as unknown as Engine, () => 640);
  capture.source = source;
});

function answered(): void {
  engine.ready = true;
  capture.next();
}

test("a picture is taken at once where the engine is ready, in the size asked for", () => {
  source.onframe?.(10);
  expect(engine.taken).toEqual([[640, 360, 10]]);
});

test("while the engine is busy the newest picture waits, and those before it are counted", () => {
  for (const time of [10, 20, 30, 40]) source.onframe?.(time);
  answered();
  expect(engine.taken.map(([, , time]) => time)).toEqual([10, 40]);
  expect(capture.dropped).toBe(2);
  answered(); // none is taken twice
  expect(engine.taken).toHaveLength(2);
});

test("a picture that waits is not taken while nobody looks at the page", () => {
  for (const time of [10, 20]) source.onframe?.(time);
  source.active = false;
  answered();
  expect(engine.taken).toHaveLength(1);
  source.active = true;
  source.onframe?.(5000);
  expect(engine.taken.map(([, , time]) => time)).toEqual([10, 5000]);
});

test("a source that has no picture yet gives none", () => {
  capture.source = sourceOf(0, 0);
  answered();
  expect(engine.taken).toEqual([]);
});

test("nothing is taken of the source before", () => {
  for (const time of [10, 20]) source.onframe?.(time);
  const other = sourceOf(320, 240);
  capture.source = other;
  answered();
  expect(source.onframe).toBeUndefined();
  other.onframe?.(30);
  expect(engine.taken.at(-1)).toEqual([320, 240, 30]);
  expect(engine.taken).toHaveLength(2);
});
