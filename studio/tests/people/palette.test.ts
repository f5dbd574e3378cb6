import { expect, test } from "vitest";
import { colourOf, PALETTE } from "../../src/people/palette.ts";

type Colour = [number, number, number];

/** Linear light of #rrggbb, as WCAG 2 defines it. */
function linear(hex: string): Colour {
  return [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as Colour;
}

function contrast(a: string, b: string): number {
  const luminance = (hex: string) =>
    linear(hex).reduce((sum, value, i) => sum + value * ([0.2126, 0.7152, 0.0722][i] ?? 0), 0);
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** CIELAB of linear light, D65. */
function lab([r, g, b]: Colour): Colour {
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Machado, Oliveira and Fernandes (2009), severity 1. */
const BLINDNESS = {
  none: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
};

function seen(hex: string, matrix: number[]): Colour {
  const light = linear(hex);
  const rows = [0, 3, 6].map((row) => light.reduce((sum, value, i) => sum + value * (matrix[row + i] ?? 0), 0));
  return lab(rows.map((value) => Math.min(1, Math.max(0, value))) as Colour);
}

test.each(["#ffffff", "#e9ebee", "#20232a", "#15171b"])("each colour has a contrast of 3:1 or more to %s", (ground) => {
  for (const colour of PALETTE) expect(contrast(colour, ground), colour).toBeGreaterThanOrEqual(3);
});

test("white numbers stand out from each colour", () => {
  for (const colour of PALETTE) expect(contrast(colour, "#ffffff"), colour).toBeGreaterThanOrEqual(3);
});

test.each(Object.entries(BLINDNESS))("the first six stay apart with colour blindness: %s", (_, matrix) => {
  const colours = PALETTE.slice(0, 6).map((hex) => seen(hex, matrix));
  for (const [i, a] of colours.entries())
    for (const b of colours.slice(i + 1))
      expect(Math.hypot(...a.map((value, k) => value - (b[k] ?? 0)))).toBeGreaterThan(20);
});

test("people beyond the palette begin it anew", () => {
  expect(colourOf(1)).toBe(PALETTE[0]);
  expect(colourOf(PALETTE.length + 1)).toBe(PALETTE[0]);
});
