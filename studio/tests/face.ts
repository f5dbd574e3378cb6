/** A face for tests. */

import { ARKIT_NAMES, EXPRESSION_NAMES, type Face } from "mfn-client";

/** A face at a place, with the track's number; the rest is at rest. */
export function face(track: number, x: number, given: Partial<Face> = {}): Face {
  return {
    track_id: track,
    neutral: "off",
    score: 0.9,
    box: { x, y: 100, width: 100, height: 120 },
    pose: { quaternion: [0, 0, 0, 1], yaw: 0, pitch: 0, roll: 0, translation: [0, 0, -60], scale: 8 },
    expression: Object.fromEntries(EXPRESSION_NAMES.map((name) => [name, 0])) as Face["expression"],
    blendshapes: Object.fromEntries(ARKIT_NAMES.map((name) => [name, 0])) as Face["blendshapes"] & object,
    ...given,
  };
}
