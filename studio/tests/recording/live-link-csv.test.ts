import { describe, expect, test } from "vitest";
import { eyeAngles, headAngles } from "../../src/recording/head-and-eyes.ts";
import { COLUMNS, liveLinkCsv, timecode, valuesOf } from "../../src/recording/live-link-csv.ts";
import type { Quaternion } from "../../src/rotation.ts";
import { face } from "../face.ts";

const HALF = Math.SQRT1_2; // sine and cosine of 45 degrees: a turn by 90

describe("head angles", () => {
  test.each<[Quaternion, number[]]>([
    [
      [0, 0, 0, 1],
      [0, 0, 0],
    ],
    [
      [0, Math.sin(0.1), 0, Math.cos(0.1)],
      [0.2, 0, 0],
    ], // about y: the nose to the image's right
    [
      [Math.sin(0.1), 0, 0, Math.cos(0.1)],
      [0, -0.2, 0],
    ], // about x: the nose down, which is negative
    [
      [0, 0, Math.sin(0.1), Math.cos(0.1)],
      [0, 0, 0.2],
    ], // about z: counter-clockwise
    [
      [0, HALF, 0, HALF],
      [Math.PI / 2, 0, 0],
    ],
  ])("of %j are %j", (quaternion, angles) => {
    headAngles(quaternion).forEach((angle, i) => {
      expect(angle).toBeCloseTo(angles[i] ?? 0, 12);
    });
  });
});

test("eyes: left yaw is negative outward, right yaw positive, pitch positive down; without gaze 0", () => {
  const none = {
    eyeLookDownLeft: 0,
    eyeLookDownRight: 0,
    eyeLookInLeft: 0,
    eyeLookInRight: 0,
    eyeLookOutLeft: 0,
    eyeLookOutRight: 0,
    eyeLookUpLeft: 0,
    eyeLookUpRight: 0,
  };
  const degrees = (gaze: Partial<typeof none>) =>
    eyeAngles({ ...none, ...gaze }).map((angle) => (angle * 180) / Math.PI);
  expect(eyeAngles(undefined)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(degrees({ eyeLookOutLeft: 1, eyeLookOutRight: 1 })[0]).toBeCloseTo(-39);
  expect(degrees({ eyeLookOutLeft: 1, eyeLookOutRight: 1 })[3]).toBeCloseTo(39);
  expect(degrees({ eyeLookInLeft: 1 })[0]).toBeCloseTo(21.5);
  expect(degrees({ eyeLookDownRight: 1 })[4]).toBeCloseTo(35);
  expect(degrees({ eyeLookUpLeft: 0.5 })[1]).toBeCloseTo(-13.55);
});

describe("the file", () => {
  const row = (seconds: number, value: number) => ({ seconds, values: Array(61).fill(value) as number[] });

  test("has the 63 columns of the app", () => {
    expect(COLUMNS).toHaveLength(63);
    expect(COLUMNS.slice(0, 4)).toEqual(["Timecode", "BlendshapeCount", "EyeBlinkLeft", "EyeLookDownLeft"]);
    expect(COLUMNS.slice(16, 20)).toEqual(["JawForward", "JawRight", "JawLeft", "JawOpen"]);
    expect(COLUMNS.slice(53)).toEqual([
      "TongueOut",
      "HeadYaw",
      "HeadPitch",
      "HeadRoll",
      "LeftEyeYaw",
      "LeftEyePitch",
      "LeftEyeRoll",
      "RightEyeYaw",
      "RightEyePitch",
      "RightEyeRoll",
    ]);
  });

  test("has each coefficient in its column, and angles in radians", () => {
    const blendshapes = { ...face(1, 0).blendshapes, jawOpen: 0.5, jawLeft: 0.25, tongueOut: 0.125 } as never;
    const pose = { ...face(1, 0).pose, quaternion: [0, Math.sin(0.1), 0, Math.cos(0.1)] as never };
    const values = valuesOf(face(1, 0, { blendshapes, pose }));
    const of = (name: string) => values[COLUMNS.indexOf(name) - 2];
    expect(values).toHaveLength(61);
    expect([of("JawOpen"), of("JawLeft"), of("JawRight"), of("TongueOut")]).toEqual([0.5, 0.25, 0, 0.125]);
    expect(of("HeadYaw")).toBeCloseTo(0.2);
  });

  test("counts frames from midnight", () => {
    expect(timecode(0)).toBe("00:00:00:00.000");
    expect(timecode(60 * (14 * 3600 + 5 * 60 + 9) + 7)).toBe("14:05:09:07.000");
  });

  test("has a row a frame, interpolated, and none while the person was away", () => {
    // At 60 rows a second: frame 1 is at 0.0167 s, between 0.01 and 0.035 s; frame 2 at 0.0333 s; then a gap of a
    // second.
    const lines = (liveLinkCsv([row(0.01, 0), row(0.035, 1), row(1.05, 1), row(1.07, 0)]) ?? "").trimEnd().split("\n");
    expect(lines[0]).toBe(COLUMNS.join(","));
    const cells = lines.slice(1).map((line) => line.split(","));
    expect(cells.map(([time]) => time)).toEqual([
      "00:00:00:01.000",
      "00:00:00:02.000",
      "00:00:01:03.000",
      "00:00:01:04.000",
    ]);
    expect(cells[0]?.slice(1, 3)).toEqual(["61", "0.2666666667"]);
    expect(cells[1]?.[2]).toBe("0.9333333333");
    expect(cells[2]?.[2]).toBe("1.0000000000");
    expect(cells.every(({ length }) => length === 63)).toBe(true);
  });

  test("is not there where nobody was seen, or too seldom for a row", () => {
    for (const rows of [[], [row(0.01, 0)], [row(0.01, 0), row(0.51001, 1)]]) expect(liveLinkCsv(rows)).toBeUndefined();
  });
});
