/** Live Link Face's recordings: a CSV file a person, of rows that lie on the frames of a clock. */

import type { Face } from "mfn-client";
import { eyeAngles, headAngles } from "./head-and-eyes.ts";

/** ARKit's 52 in the order of the app's files, which has Right before Left for the jaw and the mouth. */
const SHAPES = `
  EyeBlinkLeft EyeLookDownLeft EyeLookInLeft EyeLookOutLeft EyeLookUpLeft EyeSquintLeft EyeWideLeft EyeBlinkRight
  EyeLookDownRight EyeLookInRight EyeLookOutRight EyeLookUpRight EyeSquintRight EyeWideRight JawForward JawRight
  JawLeft JawOpen MouthClose MouthFunnel MouthPucker MouthRight MouthLeft MouthSmileLeft MouthSmileRight
  MouthFrownLeft MouthFrownRight MouthDimpleLeft MouthDimpleRight MouthStretchLeft MouthStretchRight
  MouthRollLower MouthRollUpper MouthShrugLower MouthShrugUpper MouthPressLeft MouthPressRight MouthLowerDownLeft
  MouthLowerDownRight MouthUpperUpLeft MouthUpperUpRight BrowDownLeft BrowDownRight BrowInnerUp BrowOuterUpLeft
  BrowOuterUpRight CheekPuff CheekSquintLeft CheekSquintRight NoseSneerLeft NoseSneerRight TongueOut
`
  .trim()
  .split(/\s+/);
const ANGLES =
  "HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll".split(",");

export const COLUMNS: readonly string[] = ["Timecode", "BlendshapeCount", ...SHAPES, ...ANGLES];
const VALUES = SHAPES.length + ANGLES.length;

/** Rows a second. The app counts frames of a sixtieth of a second whatever its camera's rate, and Unreal's importer reads
 * them as such. */
export const ROWS_A_SECOND = 60;
/** Seconds between two faces that rows are interpolated over; after more the person was away, and rows are left out. */
export const LONGEST_GAP = 0.5;

/** A moment of a person. */
export interface Row {
  /** Seconds since midnight. */
  seconds: number;
  /** The 61 values in the order of the columns. */
  values: readonly number[];
}

/** The 61 values of a face: ARKit's weights, and nine angles in radians. */
export function valuesOf(face: Face): number[] {
  const weights: Readonly<Record<string, number>> = face.blendshapes ?? {};
  const shapes = SHAPES.map((name) => weights[name.charAt(0).toLowerCase() + name.slice(1)] ?? 0);
  return [...shapes, ...headAngles(face.pose.quaternion), ...eyeAngles(face.gaze)];
}

/** Time code HH:MM:SS:FF.fff of a frame since midnight; fff is 000, since rows lie on the frames. */
export function timecode(frame: number): string {
  const seconds = Math.floor(frame / ROWS_A_SECOND);
  const parts = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60, frame % ROWS_A_SECOND];
  return `${parts.map((part) => String(part).padStart(2, "0")).join(":")}.000`;
}

/** A person's file. rows: with rising times; each frame's values are interpolated between the two rows around it. Returns
 * undefined where no frame has a row. */
export function liveLinkCsv(rows: readonly Row[]): string | undefined {
  const lines = [COLUMNS.join(",")];
  const first = rows[0];
  if (!first) return undefined;
  let frame = Math.ceil(first.seconds * ROWS_A_SECOND - 1e-6);
  for (let i = 0; i < rows.length; i++) {
    const [a, b] = [rows[i], rows[i + 1]];
    if (!a) break;
    const end = b && b.seconds - a.seconds <= LONGEST_GAP ? b : undefined;
    const last = end ? end.seconds : a.seconds;
    for (; frame <= last * ROWS_A_SECOND + 1e-6; frame++) {
      const part = end ? Math.max(0, (frame / ROWS_A_SECOND - a.seconds) / (end.seconds - a.seconds)) : 0;
      const values = a.values.map((value, k) => value + part * ((end?.values[k] ?? value) - value));
      lines.push([timecode(frame), VALUES, ...values.map((value) => value.toFixed(10))].join(","));
    }
    if (b && !end) frame = Math.ceil(b.seconds * ROWS_A_SECOND - 1e-6);
  }
  return lines.length > 1 ? `${lines.join("\n")}\n` : undefined;
}
