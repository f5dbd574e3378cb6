/** The face model's surface of 1400 points: from a face's coefficients to pixels. */

import { EXPRESSION_NAMES, type Face } from "mfn-client";
import { quaternionToMatrix } from "../../rotation.ts";
import { readNpz } from "./npz.ts";

const ARRAYS = ["mesh_mean", "mesh_identity", "mesh_expression", "triangles"] as const;

export class FaceMesh {
  /** Pairs of indices of points: each edge of the triangles once. */
  readonly edges: Uint16Array;
  readonly #mean: Float32Array;
  readonly #identity: Float32Array;
  readonly #expression: Float32Array;
  readonly #shape: Float32Array;

  /** Arrays of the face model, cm: mean (V, 3), identity (50, V, 3), expression (46, V, 3), triangles (T, 3). */
  constructor(mean: Float32Array, identity: Float32Array, expression: Float32Array, triangles: ArrayLike<number>) {
    this.#mean = mean;
    this.#identity = identity;
    this.#expression = expression;
    this.#shape = new Float32Array(mean.length);
    this.edges = edgesOf(triangles);
  }

  /** Reads models/face_model.npz. Rejects with Error. */
  static async read(buffer: ArrayBuffer): Promise<FaceMesh> {
    const arrays = await readNpz(buffer, ARRAYS);
    const of = (name: (typeof ARRAYS)[number]) => arrays[name]?.data ?? new Float32Array();
    return new FaceMesh(
      of("mesh_mean") as Float32Array,
      of("mesh_identity") as Float32Array,
      of("mesh_expression") as Float32Array,
      of("triangles"),
    );
  }

  /** The points (V, 2) in pixels of a picture of width x height, under weak perspective: u = width / 2 + s (X_x + t_x),
   * v = height / 2 - s (X_y + t_y), X being the turned shape. */
  project(face: Face, width: number, height: number): Float32Array {
    const shape = this.#shape;
    shape.set(this.#mean);
    addModes(shape, this.#identity, face.identity ?? []);
    addModes(
      shape,
      this.#expression,
      EXPRESSION_NAMES.map((name) => face.expression[name]),
    );
    const { quaternion, translation, scale } = face.pose;
    const m = quaternionToMatrix(quaternion);
    const pixels = new Float32Array((shape.length / 3) * 2);
    for (let i = 0, j = 0; i < shape.length; i += 3, j += 2) {
      const [px = 0, py = 0, pz = 0] = [shape[i], shape[i + 1], shape[i + 2]];
      pixels[j] = width / 2 + scale * (m[0] * px + m[1] * py + m[2] * pz + translation[0]);
      pixels[j + 1] = height / 2 - scale * (m[3] * px + m[4] * py + m[5] * pz + translation[1]);
    }
    return pixels;
  }
}

function addModes(shape: Float32Array, modes: Float32Array, weights: readonly number[]): void {
  weights.forEach((weight, mode) => {
    if (!weight) return;
    const start = mode * shape.length;
    for (let i = 0; i < shape.length; i++) shape[i] = (shape[i] ?? 0) + weight * (modes[start + i] ?? 0);
  });
}

function edgesOf(triangles: ArrayLike<number>): Uint16Array {
  const edges = new Set<number>();
  for (let i = 0; i + 2 < triangles.length; i += 3) {
    const corners = [triangles[i] ?? 0, triangles[i + 1] ?? 0, triangles[i + 2] ?? 0] as const;
    for (const [a, b] of [
      [corners[0], corners[1]],
      [corners[1], corners[2]],
      [corners[2], corners[0]],
    ] as const)
      edges.add(Math.min(a, b) * 65536 + Math.max(a, b));
  }
  return Uint16Array.from([...edges].flatMap((edge) => [Math.floor(edge / 65536), edge % 65536]));
}

const FILE = "models/face_model.npz";

/** Fetches the face model, relative to the page. Rejects with Error; the message is a sentence for the reader. */
export async function fetchFaceMesh(): Promise<FaceMesh> {
  const response = await fetch(new URL(FILE, document.baseURI)).catch(() => undefined);
  if (!response?.ok) {
    const why = response ? `status ${response.status}` : "no answer";
    throw new Error(`${FILE} cannot be fetched (${why}). Is the server there?`);
  }
  return FaceMesh.read(await response.arrayBuffer()).catch((error: Error) => {
    throw new Error(`${FILE} is damaged: ${error.message}`);
  });
}
