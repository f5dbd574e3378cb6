import { Matrix4, Quaternion as Reference, Euler as ReferenceEuler, Vector3 } from "three";
import { describe, expect, test } from "vitest";
import {
  inverse,
  multiply,
  normalize,
  type Quaternion,
  quaternionToEuler,
  quaternionToMatrix,
  quaternionToRotationVector,
  RADIANS,
  rotationVectorToQuaternion,
  twistAngle,
} from "../src/rotation.ts";

// Rotations all over, from a generator of ours so that each run has the same.
let seed = 1;
const random = () => {
  seed = (seed * 48271) % 2147483647;
  return seed / 2147483647;
};
const rotations: Quaternion[] = Array.from({ length: 200 }, () =>
  normalize([random() - 0.5, random() - 0.5, random() - 0.5, random() - 0.5]),
);
const reference = ([x, y, z, w]: Quaternion) => new Reference(x, y, z, w);
const close = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 12);
  });
};

describe("as three.js has it:", () => {
  test("the matrix, row by row", () => {
    for (const rotation of rotations) {
      const { elements: e } = new Matrix4().makeRotationFromQuaternion(reference(rotation)); // column by column
      close(quaternionToMatrix(rotation), [e[0], e[4], e[8], e[1], e[5], e[9], e[2], e[6], e[10]]);
    }
  });

  test("a product, and an inverse", () => {
    rotations.slice(1).forEach((a, i) => {
      const b = rotations[i] as Quaternion;
      close(multiply(a, b), reference(a).multiply(reference(b)).toArray());
      close(inverse(a), reference(a).invert().toArray());
    });
  });

  test("Euler's angles: R = Rz(roll) Ry(yaw) Rx(pitch)", () => {
    for (const rotation of rotations) {
      const { x, y, z } = new ReferenceEuler().setFromQuaternion(reference(rotation), "ZYX");
      const { yaw, pitch, roll } = quaternionToEuler(rotation);
      close([pitch * RADIANS, yaw * RADIANS, roll * RADIANS], [x, y, z]);
    }
  });

  test("a rotation vector: an axis, as long as the angle", () => {
    for (const rotation of rotations) {
      const vector = new Vector3(...quaternionToRotationVector(rotation));
      const angle = vector.length();
      close(normalize(new Reference().setFromAxisAngle(vector.normalize(), angle).toArray() as Quaternion), rotation);
      close(rotationVectorToQuaternion(quaternionToRotationVector(rotation)), rotation);
    }
  });
});

test("the twist is the turn about the line of sight of the nearest turn within the picture", () => {
  for (const rotation of rotations) {
    const twist = new Reference().setFromAxisAngle(new Vector3(0, 0, 1), twistAngle(rotation) * RADIANS);
    const left = reference(rotation).multiply(twist.invert());
    expect(left.z).toBeCloseTo(0, 12); // what is left turns about an axis in the picture
  }
});
