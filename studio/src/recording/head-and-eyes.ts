/** The nine angles of Live Link Face's files, radians. */

import type { Face } from "mfn-client";
import { DOWN_DEGREES, IN_DEGREES, OUT_DEGREES, UP_DEGREES } from "../stage/gaze.ts";

/** HeadYaw, HeadPitch and HeadRoll of a rotation [x, y, z, w], head to camera.
 *
 * Yaw and pitch are the direction of the nose: yaw > 0 to the image's right, pitch > 0 up. Roll is about the nose, > 0
 * counter-clockwise as seen. They compose as R = Ry(yaw) Rx(-pitch) Rz(roll). */
export function headAngles(quaternion: readonly number[]): [number, number, number] {
  const [x = 0, y = 0, z = 0, w = 1] = quaternion;
  const nose = [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)] as const;
  const yaw = Math.atan2(nose[0], nose[2]);
  const pitch = Math.asin(Math.min(1, Math.max(-1, nose[1])));
  const roll = Math.atan2(2 * (x * y + w * z), 1 - 2 * (x * x + z * z));
  return [yaw, pitch, roll];
}

/** LeftEyeYaw, Pitch, Roll and those of the right eye: yaw > 0 to the subject's right, pitch > 0 down; 0 where the gaze
 * is not seen. Eyes do not roll. */
export function eyeAngles(gaze: Face["gaze"]): [number, number, number, number, number, number] {
  if (!gaze) return [0, 0, 0, 0, 0, 0];
  const radians = Math.PI / 180;
  const pitch = (side: "Left" | "Right") =>
    (DOWN_DEGREES * gaze[`eyeLookDown${side}`] - UP_DEGREES * gaze[`eyeLookUp${side}`]) * radians;
  const away = (side: "Left" | "Right") =>
    (OUT_DEGREES * gaze[`eyeLookOut${side}`] - IN_DEGREES * gaze[`eyeLookIn${side}`]) * radians;
  return [-away("Left"), pitch("Left"), 0, away("Right"), pitch("Right"), 0];
}
