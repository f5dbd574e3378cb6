import { Vector3 } from "three";
import { expect, test } from "vitest";
import { facing } from "../../src/stage/painted.ts";

// Two triangles of a sheet in the plane z = 0, one wound toward +z, one toward -z.
const POINTS = new Float32Array([0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0]);
const TRIANGLES = [0, 1, 2, 1, 2, 3];

test.each([
  ["in front", new Vector3(0, 0, 5), [0, 1, 2]],
  ["behind", new Vector3(0, 0, -5), [1, 2, 3]],
  ["in their plane", new Vector3(3, 3, 0), []],
])("of two sides those are drawn that face a viewer %s", (_, viewer, drawn) => {
  const to = new Uint16Array(TRIANGLES.length);
  const count = facing(TRIANGLES, POINTS, viewer, to);
  expect([...to.subarray(0, count)]).toEqual(drawn);
});
