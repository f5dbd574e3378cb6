/** The nine angles of Live Link Face's files, radians. */

import type { Face } from "mfn-client";
import { type Quaternion, quaternionToMatrix, RADIANS } from "../rotation.ts";
import { DOWN_DEGREES, IN_DEGREES, OUT_DEGREES, UP_DEGREES } from "../stage/gaze.ts";

/** HeadYaw, HeadPitch and HeadRoll of a head's rotation.
 *
 * Yaw and pitch are the direction of the nose: yaw > 0 to the image's right, pitch > 0 up. Roll is about the nose, > 0
 * counter-clockwise as seen. They compose as R = Ry(yaw) Rx(-pitch) Rz(roll). */
export function headAngles(quaternion: Quaternion): [number, number, number] {
  const m = quaternionToMatrix(quaternion); // its third column is the nose
  const yaw = Math.atan2(m[2], m[8]);
  const pitch = Math.asin(Math.min(1, Math.max(-1, m[5])));
  const roll = Math.atan2(m[3], m[4]);
  return [yaw, pitch, roll];
}

/** LeftEyeYaw, Pitch, Roll and those of the right eye: yaw > 0 to the subject's right, pitch > 0 down; 0 where the gaze
 * is not seen. Eyes do not roll. */
export function eyeAngles(gaze: Face["gaze"]): [number, number, number, number, number, number] {
  if (!gaze) return [0, 0, 0, 0, 0, 0];
  const pitch = (side: "Left" | "Right") =>
    (DOWN_DEGREES * gaze[`eyeLookDown${side}`] - UP_DEGREES * gaze[`eyeLookUp${side}`]) * RADIANS;
  const away = (side: "Left" | "Right") =>
    (OUT_DEGREES * gaze[`eyeLookOut${side}`] - IN_DEGREES * gaze[`eyeLookIn${side}`]) * RADIANS;
  return [-away("Left"), pitch("Left"), 0, away("Right"), pitch("Right"), 0];
}
