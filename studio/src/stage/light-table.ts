/** The studio's light by the normal of the surface that it falls on, as the viewer in front sees it. */

/** Where the key stands, toward it from the face. */
export const KEY = { x: -0.42, y: 0.5 };

export interface LightTable {
  /** Entries along an edge; the table spans -1 to 1 in x and y of the normal. */
  size: number;
  /** Linear light that a white surface sends back, and light that is reflected from any; three values an entry. */
  diffuse: Float32Array;
  gloss: Float32Array;
}

const SIZE = 96;

// Direction toward it, colour (linear), and how far round it reaches: 0 a point, 1 from all of its half.
const SOURCES = [
  { from: [KEY.x, KEY.y, 0.76], colour: [1.0, 0.94, 0.87], reach: 0.25, gloss: 0.09, sharpness: 22 },
  { from: [0.75, 0.25, 0.6], colour: [0.22, 0.25, 0.3], reach: 0.6, gloss: 0.03, sharpness: 10 },
  { from: [0.85, 0.35, -0.4], colour: [0.5, 0.6, 0.8], reach: 0.1, gloss: 0.22, sharpness: 12 },
  { from: [-0.9, 0.1, -0.42], colour: [0.28, 0.32, 0.4], reach: 0.1, gloss: 0.12, sharpness: 12 },
  { from: [0, 1, 0.1], colour: [0.16, 0.17, 0.19], reach: 1, gloss: 0.03, sharpness: 6 },
  { from: [0, -1, 0.2], colour: [0.12, 0.09, 0.08], reach: 1, gloss: 0, sharpness: 1 },
] as const;
const AROUND = [0.2, 0.2, 0.22] as const;

/** Makes the table. */
export function lightTable(): LightTable {
  const diffuse = new Float32Array(3 * SIZE * SIZE);
  const gloss = new Float32Array(3 * SIZE * SIZE);
  for (let i = 0; i < SIZE * SIZE; i++) {
    let x = (2 * (i % SIZE)) / (SIZE - 1) - 1;
    let y = (2 * Math.floor(i / SIZE)) / (SIZE - 1) - 1;
    const outside = Math.max(Math.hypot(x, y), 1); // normals that face away: as at the edge
    x /= outside;
    y /= outside;
    const z = Math.sqrt(Math.max(1 - x * x - y * y, 0));
    const grazing = (1 - z) ** 3;
    for (let k = 0; k < 3; k++) {
      let light = AROUND[k] as number;
      let shine = 0.05 * grazing;
      for (const source of SOURCES) {
        const [fx, fy, fz] = source.from;
        const norm = Math.hypot(fx, fy, fz);
        const facing = (x * fx + y * fy + z * fz) / norm;
        const wrapped = Math.max((facing + source.reach) / (1 + source.reach), 0);
        light += (source.colour[k] as number) * wrapped;
        // Half way between the source and the viewer, who is along z.
        const halfNorm = Math.hypot(fx / norm, fy / norm, fz / norm + 1);
        const half = (x * fx + y * fy + z * (fz + norm)) / norm / halfNorm;
        shine +=
          source.gloss * (source.colour[k] as number) * Math.max(half, 0) ** source.sharpness * (1 + 3 * grazing);
      }
      diffuse[3 * i + k] = light;
      gloss[3 * i + k] = shine;
    }
  }
  return { size: SIZE, diffuse, gloss };
}

const STEPS = 1024;
const MOST = 2; // light beyond this is white
const SHOWN = Uint8Array.from({ length: STEPS + 1 }, (_, i) => {
  const light = (i / STEPS) * MOST;
  // Linear up to a shoulder, beyond which it approaches white; then sRGB's curve.
  const shoulder = 0.72;
  const over = light - shoulder;
  const mapped = over <= 0 ? light : shoulder + (1 - shoulder) * (1 - Math.exp(-over / (1 - shoulder)));
  return Math.round(255 * (mapped <= 0.0031308 ? 12.92 * mapped : 1.055 * mapped ** (1 / 2.4) - 0.055));
});

/** Linear light as it is shown, 0 to 255. */
export function shown(light: number): number {
  return SHOWN[light >= MOST ? STEPS : (light * (STEPS / MOST)) | 0] as number;
}
