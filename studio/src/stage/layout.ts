/** Where the characters stand: in rows that fill the stage, in the order of the people across the picture. */

/** Place of a character's middle, and the whole arrangement's size, in slots; x to the right, y up, the middle at 0. */
export interface Arrangement {
  places: { x: number; y: number }[];
  width: number;
  height: number;
}

/** Arranges characters in slots of the same size so that each is as large as it can be. Places are in order of x.
 *
 * aspect: width by height of the stage. slotAspect: width by height of a slot; places and sizes are in widths and
 * heights of slots. */
export function arrange(count: number, aspect: number, slotAspect: number): Arrangement {
  let best = { rows: 1, columns: Math.max(count, 1), size: 0 };
  for (let rows = 1; rows <= Math.max(count, 1); rows++) {
    const columns = Math.ceil(Math.max(count, 1) / rows);
    const size = Math.min(aspect / (columns * slotAspect), 1 / rows); // height of a slot, of the stage's
    if (size > best.size + 1e-9) best = { rows, columns, size };
  }
  const { rows, columns } = best;
  const places: { x: number; y: number }[] = [];
  // Rows are as even as can be, the fuller ones below: each is centred.
  for (let row = 0, left = count; row < rows; row++) {
    const inRow = Math.floor(left / (rows - row));
    left -= inRow;
    for (let i = 0; i < inRow; i++) places.push({ x: i - (inRow - 1) / 2, y: (rows - 1) / 2 - row });
  }
  places.sort((a, b) => a.x - b.x || b.y - a.y);
  return { places, width: columns, height: rows };
}

/** How far a stage's middle moves to the right and down, so that characters are clear of what lies over its corner at the
 * upper left: not at all where they do not reach so far. All in pixels; slotAspect: as above. */
export function giveWay(
  count: number,
  stage: { width: number; height: number },
  slotAspect: number,
  corner: { left: number; top: number },
): { left: number; top: number } {
  const { width, height } = arrange(count, stage.width / stage.height, slotAspect);
  const slot = Math.min(stage.height / height, stage.width / width / slotAspect); // height
  // Moved by the whole, they have the rest of the stage for themselves.
  const way = (covered: number, room: number, taken: number) =>
    Math.min(Math.max(2 * covered - (room - taken), 0), covered);
  return {
    left: way(corner.left, stage.width, width * slotAspect * slot),
    top: way(corner.top, stage.height, height * slot),
  };
}

// Two people change places when one is past the other by this much of the picture's width, so that heads which are
// above each other do not change places at every answer.
const PAST = 0.06;

/** Keeps an order of people by x, from left to right, and changes it only where it clearly has changed. */
export function reorder(order: number[], x: ReadonlyMap<number, number>): void {
  const at = (person: number | undefined) => (person === undefined ? 0 : (x.get(person) ?? 0.5));
  for (let i = 1; i < order.length; i++) {
    for (let j = i; j > 0 && at(order[j]) < at(order[j - 1]) - PAST; j--) {
      const [left, right] = [order[j - 1], order[j]];
      if (left === undefined || right === undefined) break;
      order[j - 1] = right;
      order[j] = left;
    }
  }
}

/** The place nearest to a point; undefined where there is none. */
export function nearest<Place extends { x: number; y: number }>(
  places: readonly Place[],
  x: number,
  y: number,
): Place | undefined {
  const distance = (place: Place) => Math.hypot(place.x - x, place.y - y);
  return places.toSorted((a, b) => distance(a) - distance(b))[0];
}

/** A value that moves to its goal: fast at first, and without overshoot. */
export class Eased {
  value: number;
  private readonly timeConstant: number; // milliseconds

  constructor(value: number, timeConstant: number) {
    this.value = value;
    this.timeConstant = timeConstant;
  }

  /** at once: without a way there. */
  toward(goal: number, elapsed: number, atOnce: boolean): number {
    this.value = atOnce ? goal : this.value + (goal - this.value) * (1 - Math.exp(-elapsed / this.timeConstant));
    return this.value;
  }
}
