/** Rotations of the head, as in service/vision/rotation.py. Camera frame, right-handed: x to the image's right, y up, z
 * toward the viewer. R = Rz(roll) Ry(yaw) Rx(pitch) in degrees: yaw > 0 turns the face toward the image's right,
 * pitch > 0 looks down, roll > 0 is counter-clockwise as seen. */

/** Rotates head coordinates into the camera frame; unit, w >= 0. */
export type Quaternion = readonly [x: number, y: number, z: number, w: number];

/** Along the axis, as long as the angle, 0 to pi radians. */
export type RotationVector = readonly [x: number, y: number, z: number];

/** Degrees; yaw lies within [-90, 90]. */
export interface Euler {
  yaw: number;
  pitch: number;
  roll: number;
}

/** A degree. */
export const RADIANS = Math.PI / 180;

const MIN_NORM = 1e-8; // a shorter quaternion has no direction left and stands for no rotation
const MIN_SINE = 1e-12; // of half an angle in radians; below, sine and angle are equal

/** The unit quaternion with w >= 0 of one of any length; a zero one becomes the identity. */
export function normalize([x, y, z, w]: Quaternion): Quaternion {
  const length = Math.hypot(x, y, z, w);
  if (length < MIN_NORM) return [0, 0, 0, 1];
  const divisor = w < 0 ? -length : length;
  return [x / divisor, y / divisor, z / divisor, w / divisor];
}

export function dot(a: Quaternion, b: Quaternion): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}

/** The quaternion or its negative, which is the same rotation, whichever is nearer to other. Call this before you take a
 * mean: w >= 0 separates neighbours near a rotation by 180 degrees. */
export function alignSign(other: Quaternion, quaternion: Quaternion): Quaternion {
  const [x, y, z, w] = quaternion;
  return dot(other, quaternion) < 0 ? [-x, -y, -z, -w] : quaternion;
}

/** The inverse rotation of a unit quaternion: its conjugate. */
export function inverse([x, y, z, w]: Quaternion): Quaternion {
  return [-x, -y, -z, w];
}

/** Hamilton product: the rotation b followed by the rotation a. */
export function multiply(a: Quaternion, b: Quaternion): Quaternion {
  const [ax, ay, az, aw] = a;
  const [bx, by, bz, bw] = b;
  return [
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
    aw * bw - ax * bx - ay * by - az * bz,
  ];
}

/** A turn within the picture's plane by degrees, counter-clockwise as seen. */
export function turnInPlane(degrees: number): Quaternion {
  const half = (degrees * RADIANS) / 2;
  return [0, 0, Math.sin(half), Math.cos(half)];
}

/** The nine numbers of the rotation matrix, row by row. */
export function quaternionToMatrix([x, y, z, w]: Quaternion) {
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y - z * w),
    2 * (x * z + y * w),
    2 * (x * y + z * w),
    1 - 2 * (x * x + z * z),
    2 * (y * z - x * w),
    2 * (x * z - y * w),
    2 * (y * z + x * w),
    1 - 2 * (x * x + y * y),
  ] as const;
}

export function quaternionToEuler(quaternion: Quaternion): Euler {
  const m = quaternionToMatrix(quaternion);
  return {
    yaw: Math.asin(Math.min(1, Math.max(-1, -m[6]))) / RADIANS,
    pitch: Math.atan2(m[7], m[8]) / RADIANS,
    roll: Math.atan2(m[3], m[0]) / RADIANS,
  };
}

/** Degrees, counter-clockwise as seen: of the turns within the picture's plane the one nearest to a unit quaternion.
 * Unlike roll, which means nothing at a yaw of 90 degrees, it changes little with the rotation. */
export function twistAngle(quaternion: Quaternion): number {
  return (2 * Math.atan2(quaternion[2], quaternion[3])) / RADIANS;
}

/** The rotation vector of a unit quaternion. */
export function quaternionToRotationVector(quaternion: Quaternion): RotationVector {
  const sign = quaternion[3] < 0 ? -1 : 1; // q and -q are one rotation
  const [x, y, z, w] = quaternion;
  const sine = Math.hypot(x, y, z);
  const factor = 2 * sign * (sine > MIN_SINE ? Math.atan2(sine, sign * w) / sine : 1);
  return [x * factor, y * factor, z * factor];
}

/** The unit quaternion, w >= 0, of a rotation vector of at most pi radians. */
export function rotationVectorToQuaternion([x, y, z]: RotationVector): Quaternion {
  const half = Math.hypot(x, y, z) / 2;
  const factor = half > 0 ? Math.sin(half) / half / 2 : 0.5;
  return [x * factor, y * factor, z * factor, Math.cos(half)];
}
