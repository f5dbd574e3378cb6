/** A tracked face as the API tells it, as in service/server/schema.py. */

import { type ExpressionName, type Face, GAZE_NAMES, type GazeName } from "mfn-client";
import { quaternionToEuler } from "../../rotation.ts";
import { blendshapes } from "../arkit.ts";
import type { TrackedFace } from "./session.ts";

/** The face with landmarks and blendshapes. names: of its expression's coefficients. identity: whether its identity is
 * told. */
export function faceAnswer(tracked: TrackedFace, names: readonly ExpressionName[], identity: boolean): Face {
  const { face, landmarks, id } = tracked;
  const [x1, y1, x2, y2] = face.box;
  const expression = named(names, face.expression);
  const gaze = face.gaze && named<GazeName>(GAZE_NAMES, face.gaze);
  return {
    score: face.score,
    box: { x: x1, y: y1, width: x2 - x1, height: y2 - y1 },
    pose: {
      quaternion: [...face.quaternion],
      ...quaternionToEuler(face.quaternion),
      translation: [...face.translation],
      scale: face.scale,
    },
    ...(identity ? { identity: Array.from(face.identity) } : {}),
    expression,
    ...(gaze ? { gaze } : {}),
    landmarks: Array.from({ length: landmarks.length / 2 }, (_, i) => [
      landmarks[2 * i] as number,
      landmarks[2 * i + 1] as number,
    ]),
    blendshapes: blendshapes(expression, gaze),
    track_id: id,
    neutral: "off",
  };
}

function named<Name extends string>(names: readonly Name[], values: Float32Array): Record<Name, number> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] as number])) as Record<Name, number>;
}
