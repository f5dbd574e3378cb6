/** Motion as JSON lines: an answer a line, as the API gives it, with the time and the number of each person. */

import type { FrameAnswer } from "../engine/engine.ts";
import type { Seen } from "../people/people.ts";

/** A line of an answer. epoch: milliseconds of Date.now()'s clock at performance.now() 0. */
export function jsonLine(answer: FrameAnswer, seen: readonly Seen[], epoch: number): string {
  const line = {
    time: new Date(epoch + answer.capturedAt).toISOString(),
    timestamp_us: Math.round(answer.capturedAt * 1000),
    restarted: answer.restarted,
    image: answer.image,
    timing_ms: answer.timing,
    faces: seen.map(({ person, face }) => ({ person, ...face })),
  };
  return `${JSON.stringify(line)}\n`;
}
