/** Where the inset lies: held by the corner of the window that it is nearest to, so that it stays there when the window
 * changes. All in CSS pixels. */

import type { InsetPlace } from "../page/preferences.ts";

interface Size {
  width: number;
  height: number;
}

const MARGIN = 8; // to the window's edge, at least
const SMALLEST = 120;
const USUAL = 240;
const USUAL_PART = { width: 0.36, height: 0.3 }; // of the window, at most
const LARGEST = 0.9; // of the window

/** The place inside the window, no smaller and no larger than sensible; its width is told. aspect: width by height. */
export function clampPlace(place: InsetPlace, aspect: number, window: Size): InsetPlace {
  const largest = Math.min(window.width * LARGEST, window.height * LARGEST * aspect);
  const wanted =
    place.width || Math.min(USUAL, window.width * USUAL_PART.width, window.height * USUAL_PART.height * aspect);
  const width = Math.round(Math.min(Math.max(wanted, SMALLEST), Math.max(SMALLEST, largest)));
  const within = (value: number, room: number) =>
    Math.round(Math.min(Math.max(value, MARGIN), Math.max(MARGIN, room - MARGIN)));
  return {
    corner: place.corner,
    width,
    x: within(place.x, window.width - width),
    y: within(place.y, window.height - width / aspect),
  };
}

/** Left and top of a place. */
export function positionOf(place: InsetPlace, aspect: number, window: Size): { left: number; top: number } {
  const height = place.width / aspect;
  return {
    left: place.corner.endsWith("right") ? window.width - place.width - place.x : place.x,
    top: place.corner.startsWith("bottom") ? window.height - height - place.y : place.y,
  };
}

/** The place of a left and a top. */
export function placeOf(left: number, top: number, width: number, aspect: number, window: Size): InsetPlace {
  const [right, bottom] = [window.width - left - width, window.height - top - width / aspect];
  const [atRight, atBottom] = [right < left, bottom < top];
  return {
    corner: `${atBottom ? "bottom" : "top"}-${atRight ? "right" : "left"}`,
    x: atRight ? right : left,
    y: atBottom ? bottom : top,
    width,
  };
}
