import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { EXPRESSION_NAMES } from "mfn-client";
import { describe, expect, test } from "vitest";
import { FaceMesh } from "../../src/view/mesh/face-mesh.ts";
import { halfToNumber, readNpz } from "../../src/view/mesh/npz.ts";
import { face } from "../face.ts";

const path = fileURLToPath(new URL("../../../models/face_model.npz", import.meta.url));
const file = new Uint8Array(readFileSync(path)).buffer;

test.each([
  [0x3c00, 1],
  [0xc000, -2],
  [0x3555, 0.333251953125],
  [0x0001, 2 ** -24],
  [0x7c00, Infinity],
])("half precision %i is %f", (bits, value) => {
  expect(halfToNumber(bits)).toBe(value);
});

describe("the published face model", () => {
  test("is read whole", async () => {
    const { mesh_mean, mesh_identity, triangles } = await readNpz(file, ["mesh_mean", "mesh_identity", "triangles"]);
    expect(mesh_mean?.shape).toEqual([1400, 3]);
    expect(mesh_identity?.shape).toEqual([50, 1400, 3]);
    expect(triangles?.shape).toEqual([2606, 3]);
  });

  test("has each edge once: a surface of V points, E edges and F triangles with few holes", async () => {
    const mesh = await FaceMesh.read(file);
    const edges = mesh.edges.length / 2;
    const pairs = new Set(Array.from({ length: edges }, (_, i) => `${mesh.edges[2 * i]} ${mesh.edges[2 * i + 1]}`));
    expect(pairs.size).toBe(edges);
    expect(edges).toBeGreaterThan((3 * 2606) / 2); // each triangle has three, the inner ones are shared by two
    expect(Math.max(...mesh.edges)).toBe(1399);
  });

  test("an archive that lacks an array, and a file that is none, are told", async () => {
    await expect(readNpz(file, ["nothing"])).rejects.toThrow("nothing");
    await expect(readNpz(new ArrayBuffer(100), ["mesh_mean"])).rejects.toThrow("no zip archive");
  });
});

describe("projection", () => {
  const expression = (name: string) => {
    const modes = new Float32Array(46 * 3);
    modes.set([1, 0, 0], 3 * EXPRESSION_NAMES.indexOf(name as never));
    return modes;
  };
  const mesh = new FaceMesh(Float32Array.of(1, 2, 3), new Float32Array(150).fill(0), expression("jawOpen"), [0, 0, 0]);
  const pose = face(1, 0).pose;

  test("at rest: u = W / 2 + s (x + t_x), v = H / 2 - s (y + t_y)", () => {
    const still = face(1, 0, { pose: { ...pose, translation: [10, -5, 0], scale: 4 } });
    expect([...mesh.project(still, 640, 480)]).toEqual([320 + 4 * 11, 240 - 4 * -3]);
  });

  test("turned by 90 degrees about y, z takes the place of x", () => {
    const half = Math.SQRT1_2;
    const turned = face(1, 0, { pose: { ...pose, quaternion: [0, half, 0, half], translation: [0, 0, 0], scale: 1 } });
    const [u = 0, v = 0] = mesh.project(turned, 0, 0);
    expect(u).toBeCloseTo(3);
    expect(v).toBeCloseTo(-2);
  });

  test("an expression moves its points", () => {
    const open = face(1, 0, { pose: { ...pose, translation: [0, 0, 0], scale: 1 } });
    open.expression.jawOpen = 0.5;
    expect(mesh.project(open, 0, 0)[0]).toBeCloseTo(1.5);
  });
});
