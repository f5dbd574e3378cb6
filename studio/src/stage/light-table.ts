/** The studio's light by the normal of the surface that it falls on, as the viewer in front sees it. */

import { Vector3 } from "three";

/** Where the key stands, toward it from the face. */
export const KEY = { x: -0.42, y: 0.5 };

export interface LightTable {
  /** Where the viewer is, in the world; it may move. */
  viewer: Vector3;
  /** Entries along an edge; the table spans -1 to 1 in x and y of the normal. */
  size: number;
  /** Linear light that a white surface sends back, and light that is reflected from any; three values an entry. */
  diffuse: Float32Array;
  gloss: Float32Array;
}

const SIZE = 96;

// Direction toward it, colour (linear), and how far round it reaches: 0 a point, 1 from all of its half. A white surface
// that faces the key is just white.
const SOURCES = [
  { from: [KEY.x, KEY.y, 0.76], colour: [0.74, 0.7, 0.65], reach: 0.12, gloss: 0.32, sharpness: 26 },
  { from: [0.75, 0.25, 0.6], colour: [0.1, 0.12, 0.15], reach: 0.5, gloss: 0.5, sharpness: 12 },
  { from: [0.85, 0.35, -0.4], colour: [0.42, 0.48, 0.6], reach: 0, gloss: 0.5, sharpness: 9 },
  { from: [-0.9, 0.1, -0.42], colour: [0.25, 0.28, 0.34], reach: 0, gloss: 0.5, sharpness: 9 },
  { from: [0, 1, 0.1], colour: [0.1, 0.11, 0.12], reach: 1, gloss: 0.3, sharpness: 6 },
  { from: [0, -1, 0.2], colour: [0.1, 0.075, 0.06], reach: 1, gloss: 0, sharpness: 1 },
] as const;
const TOWARD_VIEWER = new Vector3(0, 0, 1);
const AROUND = [0.12, 0.12, 0.135] as const;

/** Makes the table. viewer: the camera's place, which is followed as it changes. */
export function lightTable(viewer = new Vector3(0, 0, 10)): LightTable {
  const diffuse = new Float32Array(3 * SIZE * SIZE);
  const gloss = new Float32Array(3 * SIZE * SIZE);
  const sources = SOURCES.map((source) => {
    const toward = new Vector3(...source.from).normalize();
    const half = toward.clone().add(TOWARD_VIEWER).normalize();
    return { ...source, toward, half };
  });
  for (let i = 0; i < SIZE * SIZE; i++) {
    let x = (2 * (i % SIZE)) / (SIZE - 1) - 1;
    let y = (2 * Math.floor(i / SIZE)) / (SIZE - 1) - 1;
    const outside = Math.max(Math.hypot(x, y), 1); // normals that face away: as at the edge
    x /= outside;
    y /= outside;
    const z = Math.sqrt(Math.max(1 - x * x - y * y, 0));
    const grazing = (1 - z) ** 3;
    const light: number[] = [...AROUND];
    const shine = Array<number>(3).fill(0.06 * grazing);
    for (const { colour, reach, gloss: glossy, sharpness, toward, half } of sources) {
      const wrapped = Math.max((dot(toward, x, y, z) + reach) / (1 + reach), 0);
      const mirrored = glossy * Math.max(dot(half, x, y, z), 0) ** sharpness * (1 + 3 * grazing);
      for (let k = 0; k < 3; k++) {
        light[k] = (light[k] as number) + (colour[k] as number) * wrapped;
        shine[k] = (shine[k] as number) + (colour[k] as number) * mirrored;
      }
    }
    diffuse.set(light, 3 * i);
    gloss.set(shine, 3 * i);
  }
  return { viewer, size: SIZE, diffuse, gloss };
}

function dot({ x, y, z }: Vector3, u: number, v: number, w: number): number {
  return x * u + y * v + z * w;
}

const STEPS = 2048;
const SHOWN = Uint8Array.from({ length: STEPS + 1 }, (_, i) => {
  const light = i / STEPS;
  return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
});

/** Linear light in sRGB, 0 to 255. */
export function shown(light: number): number {
  return SHOWN[light >= 1 ? STEPS : (light * STEPS) | 0] as number;
}
