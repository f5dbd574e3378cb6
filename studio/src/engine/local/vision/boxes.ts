/** Boxes, and greedy non-maximum suppression: of boxes that overlap, the one with the best score stays. As in
 * service/vision/nms.py. */

/** Pixels. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** The groups that suppression divides boxes into. best: of each group the index of the box that stays, in descending
 * score. member: of each box its group, -1 where it has none. */
export interface Groups {
  best: number[];
  member: Int32Array;
}

/** Intersection over union. */
export function iou(a: Box, b: Box): number {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const intersection = width * height;
  const union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - intersection;
  return union > 0 ? intersection / union : 0;
}

/** Groups boxes, in descending score, by the box that suppresses them: a box stays unless it overlaps one that stays by
 * more than maxIou. At most `limit` stay, and none after the first `eligible`. */
export function suppress(boxes: readonly Box[], maxIou: number, limit: number, eligible: number): Groups {
  const best: number[] = [];
  const member = new Int32Array(boxes.length).fill(-1);
  for (const [i, box] of boxes.slice(0, eligible).entries()) {
    if (best.length === limit) break;
    if (member[i] !== -1) continue;
    for (const [j, other] of boxes.entries()) {
      if (j > i && member[j] === -1 && iou(box, other) > maxIou) member[j] = best.length;
    }
    member[i] = best.length;
    best.push(i);
  }
  return { best, member };
}
