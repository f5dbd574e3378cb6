import { describe, expect, test } from "vitest";
import { WEIGHTS, weightOf } from "../../src/stage/arkit.ts";
import { Motion, neutralPose, POSE_VALUES } from "../../src/stage/motion.ts";

const JAW = weightOf("jawOpen");
const FRAME = 1000 / 60;

/** A pose of one weight and a yaw in degrees. */
function pose(jaw: number, yaw = 0): Float32Array {
  const values = neutralPose();
  values[JAW] = jaw;
  values[WEIGHTS + 1] = Math.sin((yaw * Math.PI) / 360);
  values[WEIGHTS + 3] = Math.cos((yaw * Math.PI) / 360);
  return values;
}

interface Answer {
  values: Float32Array;
  capturedAt: number;
  answeredAt: number;
}

interface Shown {
  now: number;
  jaw: number;
  yaw: number;
  delay: number;
}

/** Plays answers in the order in which they come, and tells what each display frame shows. */
function play(answers: Answer[], until: number, motion = new Motion()): Shown[] {
  const coming = answers.toSorted((a, b) => a.answeredAt - b.answeredAt);
  const shown: Shown[] = [];
  for (let now = 0; now < until; now += FRAME) {
    while (coming[0] && coming[0].answeredAt <= now) {
      const { values, capturedAt, answeredAt } = coming.shift() as Answer;
      motion.take(values, capturedAt, answeredAt);
    }
    motion.update(now);
    const yaw = (2 * Math.asin(motion.pose[WEIGHTS + 1] ?? 0) * 180) / Math.PI;
    shown.push({ now, jaw: motion.pose[JAW] ?? 0, yaw, delay: now - motion.capturedAt });
  }
  return shown;
}

/** Uniform numbers from 0 to 1 that are the same each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (1664525 * state + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** Answers to frames every interval, which take latency and up to jitter more. */
function answersTo(
  truth: (time: number) => Float32Array,
  { interval = 1000 / 30, latency = 20, jitter = 0, until = 4000, seed = 1 } = {},
): Answer[] {
  const next = random(seed);
  const answers: Answer[] = [];
  for (let capturedAt = 0; capturedAt < until; capturedAt += interval) {
    answers.push({ values: truth(capturedAt), capturedAt, answeredAt: capturedAt + latency + jitter * next() });
  }
  return answers;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const speaking = (time: number) => pose(0.5 + 0.5 * Math.sin(time / 80), 30 * Math.sin(time / 400));

describe("Motion", () => {
  test("follows the truth by one answer's delay", () => {
    const shown = play(answersTo(speaking), 4000).filter(({ now }) => now > 1000);
    expect(median(shown.map(({ delay }) => delay))).toBeLessThan(60); // 33 an answer, 20 the answer's way
    for (const { now, yaw, delay } of shown) {
      expect(Math.abs(yaw - 30 * Math.sin((now - delay) / 400))).toBeLessThan(0.5); // degrees
    }
  });

  test.each([
    { jitter: 0, interval: 1000 / 30 },
    { jitter: 40, interval: 1000 / 30 },
    { jitter: 60, interval: 1000 / 15 },
    { jitter: 20, interval: 1000 / 60 },
  ])("never jumps or leaves what was answered: $interval ms, $jitter ms of jitter", ({ jitter, interval }) => {
    const next = random(7);
    const answers = answersTo(() => pose(next(), 60 * next() - 30), { jitter, interval });
    const shown = play(answers, 4000);
    const values = answers.map((answer) => answer.values[JAW] ?? 0);
    const [least, most] = [Math.min(0, ...values), Math.max(...values)];
    for (const [i, { jaw }] of shown.entries()) {
      expect(jaw).toBeGreaterThanOrEqual(least - 1e-6);
      expect(jaw).toBeLessThanOrEqual(most + 1e-6);
      // From one answer to the next at double speed, on a cubic that is at most three times as steep as its mean.
      const before = shown[i - 1];
      const steepest = Math.min((2 * 3 * FRAME) / interval, 2);
      if (before) expect(Math.abs(jaw - before.jaw)).toBeLessThanOrEqual(steepest + 1e-6);
    }
  });

  test("a slow motion is drawn in even steps although answers come unevenly", () => {
    const shown = play(
      answersTo((time) => pose(time / 8000), { jitter: 30 }),
      4000,
    ).filter(({ now }) => now > 1000);
    const steps = shown.slice(1).map(({ jaw }, i) => jaw - (shown[i]?.jaw ?? 0));
    const even = FRAME / 8000;
    for (const step of steps) {
      expect(step).toBeGreaterThanOrEqual(-1e-6); // never back
      expect(step).toBeLessThan(2.1 * even);
    }
    expect(median(shown.map(({ delay }) => delay))).toBeLessThan(33.4 + 20 + 30 + FRAME);
  });

  test("holds when answers stop, and comes back without a jump", () => {
    const before = answersTo((time) => pose(0.2 + 0.1 * Math.sin(time / 100), 0), { until: 1000 });
    const after = answersTo(() => pose(0.9, 40), { until: 2000 }).map((answer) => ({
      ...answer,
      capturedAt: answer.capturedAt + 3000,
      answeredAt: answer.answeredAt + 3000,
    }));
    const shown = play([...before, ...after], 5000);
    const held = shown.filter(({ now }) => now > 1200 && now < 3000);
    expect(new Set(held.map(({ jaw }) => jaw)).size).toBe(1);
    expect(held[0]?.jaw).toBeCloseTo(before.at(-1)?.values[JAW] ?? 0, 5);
    for (const [i, { jaw, yaw }] of shown.entries()) {
      const last = shown[i - 1];
      if (last) expect(Math.abs(jaw - last.jaw)).toBeLessThan(0.12);
      if (last) expect(Math.abs(yaw - last.yaw)).toBeLessThan(7);
    }
    expect(shown.at(-1)?.jaw).toBeCloseTo(0.9, 5);
    expect(shown.at(-1)?.delay).toBeLessThan(60);
  });

  test("answers that are late, doubled or broken are left out", () => {
    const motion = new Motion();
    const answers = answersTo(() => pose(0.5), { until: 500 });
    const broken = pose(0.5);
    broken[JAW] = Number.NaN;
    const disturbed = answers.flatMap((answer) => [
      answer,
      { ...answer, values: pose(1) },
      { ...answer, values: pose(0), capturedAt: answer.capturedAt - 40 },
      { ...answer, values: broken, capturedAt: answer.capturedAt + 1 },
      { ...answer, values: pose(1), capturedAt: Number.NaN },
    ]);
    expect(play(disturbed, 900, motion).at(-1)?.jaw).toBeCloseTo(0.5, 6);
  });

  test("comes to rest, and is neutral then", () => {
    const motion = new Motion();
    play(answersTo(speaking, { until: 500 }), 600, motion);
    expect(motion.resting).toBe(false);
    motion.rest(600);
    expect(motion.resting).toBe(true);
    let last = motion.pose.slice();
    for (let now = 600; now < 2000; now += FRAME) {
      motion.update(now);
      for (let i = 0; i < POSE_VALUES; i++) expect(Math.abs((motion.pose[i] ?? 0) - (last[i] ?? 0))).toBeLessThan(0.05);
      last = motion.pose.slice();
    }
    expect([...motion.pose]).toEqual([...neutralPose()]);
  });

  test("one answer, of a picture, is held", () => {
    const shown = play([{ values: pose(0.7, 20), capturedAt: 100, answeredAt: 130 }], 5000);
    expect(shown.at(-1)?.jaw).toBeCloseTo(0.7, 6);
    expect(shown.at(-1)?.yaw).toBeCloseTo(20, 3);
  });

  test("turns the short way where a rotation's sign changes", () => {
    const flip = (values: Float32Array) => {
      for (let i = WEIGHTS; i < POSE_VALUES; i++) values[i] = -(values[i] ?? 0);
      return values;
    };
    const motion = new Motion();
    const answers = answersTo(() => pose(0, 30), { until: 1000 });
    for (const [i, { values }] of answers.entries()) if (i % 2 === 1) flip(values);
    for (const { now, yaw } of play(answers, 1000, motion)) if (now > 500) expect(Math.abs(yaw)).toBeCloseTo(30, 2);
  });
});
