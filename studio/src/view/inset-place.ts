/** Where the inset lies: held by the corner of the window that it is nearest to, so that it stays there when the window
 * changes. All in CSS pixels. */

/** The corner of the inset nearest to one of the window's, how far it is from that, and its width. width 0: as fits the
 * window. */
export interface InsetPlace {
  corner: "top-left" | "top-right" | "bottom-left" | "bottom-right";
  x: number;
  y: number;
  width: number;
}

interface Size {
  width: number;
  height: number;
}

const STEP = 16; // of an arrow key
const ARROWS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};
const GROWTH = 1.25; // factor of a press of + or -
const LARGE = { width: 0.5, height: 0.6 }; // of the window, at most
const MARGIN = 8; // to the window's edge, at least
const SMALLEST = 120;
const USUAL = 240;
const USUAL_PART = { width: 0.36, height: 0.3 }; // of the window, at most
const LARGEST = 0.9; // of the window
const ASIDE = 0.4; // of the window's longer side: what reaches further lies before the characters
const GAP = 8; // to the characters

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

/** What of the window an inset takes from the characters: columns beside it where the window is wide, rows below it where
 * it is high; nothing where it lies further inside. */
export function aside(
  inset: Size & { left: number; top: number },
  window: Size,
): { left: number; right: number; top: number } {
  const taken = { left: 0, right: 0, top: 0 };
  if (!inset.width) return taken;
  const [right, bottom] = [inset.left + inset.width, inset.top + inset.height];
  const fromRight = window.width - inset.left;
  if (window.width <= window.height) {
    if (bottom <= ASIDE * window.height) taken.top = bottom + GAP;
  } else if (right <= ASIDE * window.width) taken.left = right + GAP;
  else if (fromRight <= ASIDE * window.width) taken.right = fromRight + GAP;
  return taken;
}

/** How far a key moves the inset; undefined where it is no arrow key. */
export function stepOf(key: string): readonly [x: number, y: number] | undefined {
  return ARROWS[key];
}

/** The place at a width that is larger (direction 1) or smaller (-1) by a step. */
export function grown(place: InsetPlace, direction: 1 | -1, aspect: number, window: Size): InsetPlace {
  const { width } = clampPlace(place, aspect, window);
  return { ...place, width: width * GROWTH ** direction };
}

/** The place at its large width; at its usual one where it is about as large already. */
export function toggled(place: InsetPlace, aspect: number, window: Size): InsetPlace {
  const large = Math.min(window.width * LARGE.width, window.height * LARGE.height * aspect);
  const { width } = clampPlace(place, aspect, window);
  return { ...place, width: width < 0.8 * large ? large : 0 };
}
