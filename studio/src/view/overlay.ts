/** Draws boxes, meshes and poses over the source's picture. */

import type { Face } from "mfn-client";
import { colourOf } from "../people/palette.ts";
import type { Seen } from "../people/people.ts";
import { quaternionToMatrix } from "../rotation.ts";
import type { FaceMesh } from "./mesh/face-mesh.ts";

export const OVERLAYS = ["boxes", "mesh", "pose", "all", "none"] as const;
/** What is drawn over the picture. */
export type Overlay = (typeof OVERLAYS)[number];

/** What an answer shows, in pixels of its frame. */
export interface Drawing {
  seen: readonly Seen[];
  image: { width: number; height: number };
}

const CASING = "rgb(0 0 0 / 0.55)"; // around lines, so that they stand out from any picture
const AXES = ["#ff5d52", "#4fd36b", "#5aa2ff"] as const; // x, y, z

/** Draws onto a canvas that covers the picture. mirrored: the picture is shown as in a mirror. */
export function drawOverlay(
  canvas: HTMLCanvasElement,
  { seen, image }: Drawing,
  overlay: Overlay,
  mirrored: boolean,
  mesh: FaceMesh | undefined,
): void {
  const ratio = devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  if (!context) return;
  context.clearRect(0, 0, width, height);
  if (overlay === "none" || !image.width) return;
  const scale = width / image.width;
  const pen: Pen = {
    context,
    unit: ratio,
    at: (x, y) => [mirrored ? width - x * scale : x * scale, y * scale],
  };
  for (const { person, face } of seen) {
    const colour = colourOf(person);
    if (overlay === "mesh" || overlay === "all") drawMesh(pen, face, image, colour, mesh);
    if (overlay === "pose" || overlay === "all") drawPose(pen, face, image);
    if (overlay === "boxes" || overlay === "all") drawBox(pen, face, colour);
    drawNumber(pen, face, person, colour);
  }
}

interface Pen {
  context: CanvasRenderingContext2D;
  /** Pixels of the canvas in one of CSS. */
  unit: number;
  /** From pixels of the frame to those of the canvas. */
  at(x: number, y: number): [number, number];
}

function drawBox({ context, unit, at }: Pen, { box }: Face, colour: string): void {
  const [x0, y0] = at(box.x, box.y);
  const [x1, y1] = at(box.x + box.width, box.y + box.height);
  context.beginPath();
  context.roundRect(Math.min(x0, x1), y0, Math.abs(x1 - x0), y1 - y0, 6 * unit);
  stroke(context, CASING, 4 * unit);
  stroke(context, colour, 2 * unit);
}

function drawNumber({ context, unit, at }: Pen, { box }: Face, person: number, colour: string): void {
  const [x0, y] = at(box.x, box.y);
  const [x1] = at(box.x + box.width, box.y);
  const radius = 8 * unit;
  const x = Math.max(radius, Math.min(x0, x1));
  context.beginPath();
  context.arc(x, Math.max(radius, y), radius, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
  context.fillStyle = "#fff";
  context.font = `600 ${10 * unit}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(person), x, Math.max(radius, y) + 0.5 * unit);
}

function drawMesh(pen: Pen, face: Face, image: Drawing["image"], colour: string, mesh: FaceMesh | undefined): void {
  const { context, unit, at } = pen;
  if (!mesh || !face.identity) {
    context.fillStyle = colour;
    for (const [x, y] of face.landmarks ?? []) {
      const [u, v] = at(x, y);
      context.beginPath();
      context.arc(u, v, 1.4 * unit, 0, 2 * Math.PI);
      context.fill();
    }
    return;
  }
  const points = mesh.project(face, image.width, image.height);
  context.beginPath();
  for (let i = 0; i < mesh.edges.length; i += 2) {
    const [a, b] = [2 * (mesh.edges[i] ?? 0), 2 * (mesh.edges[i + 1] ?? 0)];
    context.moveTo(...at(points[a] ?? 0, points[a + 1] ?? 0));
    context.lineTo(...at(points[b] ?? 0, points[b + 1] ?? 0));
  }
  context.globalAlpha = 0.6;
  stroke(context, colour, 0.6 * unit);
  context.globalAlpha = 1;
}

/** The head's axes from its origin, each as long as half a face. */
function drawPose({ context, unit, at }: Pen, { pose, box }: Face, image: Drawing["image"]): void {
  const { quaternion, translation, scale } = pose;
  const u = image.width / 2 + scale * translation[0];
  const v = image.height / 2 - scale * translation[1];
  const length = box.width / 2;
  const m = quaternionToMatrix(quaternion);
  AXES.forEach((colour, axis) => {
    const [dx = 0, dy = 0] = [m[axis], m[3 + axis]];
    context.beginPath();
    context.moveTo(...at(u, v));
    context.lineTo(...at(u + length * dx, v - length * dy));
    stroke(context, CASING, 4.5 * unit);
    stroke(context, colour, 2.5 * unit);
  });
}

function stroke(context: CanvasRenderingContext2D, colour: string, width: number): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineCap = "round";
  context.stroke();
}
