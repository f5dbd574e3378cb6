/** The decoding gives what the Python gives: models/mobile/vectors.txt, by which Kotlin and C++ are checked, too. */

import { readFileSync } from "node:fs";
import { ARKIT_NAMES, EXPRESSION_NAMES, type ExpressionName, GAZE_NAMES, type GazeName } from "mfn-client";
import { afterAll, describe, expect, test } from "vitest";
import { blendshapes } from "../../../src/engine/arkit.ts";
import { facesOf } from "../../../src/engine/local/detector.ts";
import { suppress } from "../../../src/engine/local/vision/boxes.ts";
import {
  buildPriors,
  decode,
  detect,
  EXPRESSIONS,
  IDENTITY_MODES,
  type Level,
  VOTE_SCORE_RATIO,
} from "../../../src/engine/local/vision/candidates.ts";
import { CROP_SIDE, cropAround, sampleCrop } from "../../../src/engine/local/vision/crops.ts";
import { type FaceEstimate, GAZE_COEFFICIENTS } from "../../../src/engine/local/vision/face-estimate.ts";
import { LandmarkModel } from "../../../src/engine/local/vision/landmarks.ts";
import {
  fitLetterbox,
  letterboxed,
  type Point,
  toPicture,
  toSquare,
} from "../../../src/engine/local/vision/letterbox.ts";
import type { Picture } from "../../../src/engine/local/vision/pictures.ts";
import { blend, refined } from "../../../src/engine/local/vision/refinement.ts";
import { normalize, type Quaternion, quaternionToEuler, quaternionToMatrix } from "../../../src/rotation.ts";

const MOBILE = new URL("../../../../models/mobile/", import.meta.url);
const UNIT = 512; // raw outputs are whole multiples of 1 / UNIT
const BACKGROUND = -4096 / UNIT; // raw score of priors that are not listed
const COLUMNS = [5, 7, IDENTITY_MODES, EXPRESSIONS] as const;

/** Words and numbers in their order, and how far what is compared with them is off. */
class Vectors {
  readonly #words: string[];
  #next = 0;
  numbers = 0;

  constructor(text: string) {
    this.#words = text.split("\n").flatMap((line) => line.replace(/#.*/, "").split(/\s+/).filter(Boolean));
  }

  get ended(): boolean {
    return this.#next === this.#words.length;
  }

  word(): string {
    const word = this.#words[this.#next++];
    if (word === undefined) throw new Error("the vectors end here");
    return word;
  }

  number(): number {
    const number = Number(this.word());
    if (Number.isNaN(number)) throw new Error(`not a number: ${this.#words[this.#next - 1]}`);
    return number;
  }

  list(count: number): number[] {
    return Array.from({ length: count }, () => this.number());
  }

  floats(count: number, unit = 1): Float32Array {
    return Float32Array.from(this.list(count), (value) => value / unit);
  }

  point(): Point {
    return [this.number(), this.number()];
  }

  quaternion(): Quaternion {
    return [this.number(), this.number(), this.number(), this.number()];
  }

  expectWords(words: readonly string[]): void {
    expect(words.map(() => this.word())).toEqual(words);
  }

  /** Compares values with the next numbers. */
  expect(values: Iterable<number>, absolute = 1e-5, relative = 1e-5): void {
    for (const value of values) {
      const expected = this.number();
      this.numbers++;
      const off = Math.abs(value - expected) / (absolute + relative * Math.abs(expected));
      if (!(off <= 1)) expect.fail(`number ${this.#next}: ${value} where ${expected} was due, ${off} tolerances off`);
    }
  }

  expectWhole(...values: number[]): void {
    this.expect(values, 0.5e-9, 0);
  }

  expectCoefficients(face: FaceEstimate): void {
    this.expect(face.quaternion);
    this.expect([...face.translation, face.scale]);
    this.expect(face.identity);
    this.expect(face.expression);
  }
}

const vectors = new Vectors(readFileSync(new URL("vectors.txt", MOBILE), "ascii"));
const landmarkBytes = readFileSync(new URL("landmarks.bin", MOBILE));
const landmarks = new LandmarkModel(new Uint8Array(landmarkBytes).buffer);

/** The frame that the vectors describe, turned upright clockwise by degrees. */
function frame(width: number, height: number, degrees: number): Picture {
  const [columns, rows] = degrees % 180 === 0 ? [width, height] : [height, width];
  const pixels = new Uint8Array(columns * rows * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = upright(x, y, width, height, degrees);
      for (let c = 0; c < 3; c++) pixels[(v * columns + u) * 4 + c] = 37 * (c + 1) * x + 59 * y + 11 * ((x * y) % 17);
    }
  }
  return { pixels, columns, rows, width: columns, height: rows };
}

/** Where a pixel lies once its picture is turned clockwise by degrees. */
function upright(x: number, y: number, width: number, height: number, degrees: number): Point {
  if (degrees === 90) return [height - 1 - y, x];
  if (degrees === 180) return [width - 1 - x, height - 1 - y];
  return degrees === 270 ? [y, width - 1 - x] : [x, y];
}

function named<Name extends string>(names: readonly Name[], values: ArrayLike<number>) {
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<Name, number>;
}

const sections: Readonly<Record<string, () => void>> = {
  rotations() {
    const unit = normalize(vectors.quaternion());
    vectors.expect(unit);
    vectors.expect(quaternionToMatrix(unit));
    const { yaw, pitch, roll } = quaternionToEuler(unit);
    vectors.expect([yaw, pitch, roll], 1e-3, 0);
  },

  letterboxes() {
    const [width, height, side] = [vectors.number(), vectors.number(), vectors.number()];
    const box = fitLetterbox(width, height, side);
    vectors.expectWhole(box.contentWidth, box.contentHeight, box.offsetX, box.offsetY);
    const points = [vectors.point(), vectors.point()];
    for (const point of points) vectors.expect(toSquare(box, point));
    for (const point of points) vectors.expect(toPicture(box, point));
  },

  arkit() {
    vectors.expectWords(EXPRESSION_NAMES);
    vectors.expectWords(GAZE_NAMES);
    vectors.expectWords(ARKIT_NAMES);
    const expression = named<ExpressionName>(EXPRESSION_NAMES, vectors.list(EXPRESSIONS));
    const gaze = vectors.list(vectors.number());
    const weights = blendshapes(expression, gaze.length > 0 ? named<GazeName>(GAZE_NAMES, gaze) : undefined);
    vectors.expect(ARKIT_NAMES.map((name) => weights[name]));
  },

  cases() {
    vectors.word();
    const side = vectors.number();
    const levels: Level[] = Array.from({ length: vectors.number() }, () => {
      const stride = vectors.number();
      return { stride, anchors: Array.from({ length: vectors.number() }, () => vectors.point()) };
    });
    const letterbox = fitLetterbox(vectors.number(), vectors.number(), side);
    const [minScore, maxIou, maxFaces] = [vectors.number(), vectors.number(), vectors.number()];
    const fieldOfView = vectors.number();
    const priors = buildPriors(levels, side);
    const outputs = COLUMNS.map((width) => new Float32Array(width * priors.length));
    const [detection, pose, identity, expression] = outputs as [Float32Array, Float32Array, Float32Array, Float32Array];
    for (let i = 0; i < priors.length; i++) detection[5 * i + 4] = BACKGROUND;
    for (let rows = vectors.number(); rows > 0; rows--) {
      const prior = vectors.number();
      const row = vectors.floats(vectors.number(), UNIT);
      let start = 0;
      for (const [k, width] of COLUMNS.entries()) {
        outputs[k]?.set(row.subarray(start, start + width), prior * width);
        start += width;
      }
    }

    const found = detect(detection, priors, VOTE_SCORE_RATIO * minScore);
    vectors.expectWhole(found.length);
    vectors.expectWhole(...found.map(({ index }) => index));
    const eligible = found.filter(({ score }) => score >= minScore).length;
    const groups = suppress(
      found.map(({ box }) => box),
      maxIou,
      maxFaces,
      eligible,
    );
    vectors.expectWhole(...groups.member);

    const raw = { detection, pose, identity, expression };
    const candidates = found.map((one) => decode(raw, priors, one));
    const faces = facesOf(candidates, letterbox, minScore, maxIou, maxFaces, fieldOfView);
    vectors.expectWhole(faces.length);
    for (const face of faces) {
      vectors.expect([face.score]);
      vectors.expect(face.box);
      vectors.expectCoefficients(face);
    }
  },

  refinements() {
    const size = { width: vectors.number(), height: vectors.number() };
    const [fieldOfView, cropFactor] = [vectors.number(), vectors.number()];
    const face: FaceEstimate = {
      score: 0,
      box: [0, 0, 0, 0],
      quaternion: vectors.quaternion(),
      translation: [vectors.number(), vectors.number(), vectors.number()],
      scale: vectors.number(),
      identity: vectors.floats(IDENTITY_MODES),
      expression: vectors.floats(EXPRESSIONS),
      gaze: undefined,
    };
    const points = landmarks.project(face, size);
    vectors.expect(points);
    const crop = cropAround(points, face.quaternion, cropFactor);
    vectors.expect([crop.x, crop.y, crop.side]);
    vectors.expect([crop.roll], 1e-3, 0);
    const raw = {
      pose: vectors.floats(7, UNIT),
      identity: vectors.floats(IDENTITY_MODES, UNIT),
      expression: vectors.floats(EXPRESSIONS, UNIT),
      gaze: vectors.floats(GAZE_COEFFICIENTS, UNIT),
    };
    const second = refined(face, crop, raw, size, fieldOfView);
    for (const seen of [second, blend(face, second)]) {
      vectors.expectCoefficients(seen);
      vectors.expect(seen.gaze ?? []);
    }
  },

  squares() {
    const picture = frame(vectors.number(), vectors.number(), vectors.number());
    const side = vectors.number();
    vectors.expect(letterboxed(fitLetterbox(picture.width, picture.height, side), picture), 2, 0);
  },

  samples() {
    const picture = frame(vectors.number(), vectors.number(), 0);
    const crop = { x: vectors.number(), y: vectors.number(), side: vectors.number(), roll: vectors.number() };
    const sample = sampleCrop(crop, picture);
    for (let y = 5; y < CROP_SIDE; y += 16) {
      for (let x = 5; x < CROP_SIDE; x += 16) {
        const start = (y * CROP_SIDE + x) * 3;
        vectors.expect(sample.subarray(start, start + 3), 2, 0);
      }
    }
  },
};

// The sections follow each other in the file, so the tests run in its order.
describe("the vectors", () => {
  test.each(Object.entries(sections))("%s", (name, check) => {
    vectors.expectWords([name]);
    const count = vectors.number();
    expect(count).toBeGreaterThan(0);
    for (let i = 0; i < count; i++) check();
    expect(vectors.numbers).toBeGreaterThan(0);
  });

  afterAll(() => expect(vectors.ended).toBe(true));
});
