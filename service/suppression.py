"""Greedy non-maximum suppression: of boxes that overlap, the one with the best score stays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.rotation import Array


def iou(box: Array, boxes: Array) -> Array:
    """Intersection over union (N,) of a box (4,) with boxes (N, 4), x1, y1, x2, y2."""
    overlap = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    intersection = np.prod(np.maximum(overlap, 0), axis=-1)
    union = np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1) - intersection
    ratio: Array = intersection / np.maximum(union, np.finfo(np.float32).tiny)
    return ratio


@dataclass(frozen=True)
class Groups:
    """What suppression leaves of N boxes. best: (K,) index of each box that stays, in descending score. member: (N,)
    row in `best` of the box that each box was suppressed by, its own row for one that stays, -1 for a box of no group.
    """

    best: NDArray[np.intp]
    member: NDArray[np.intp]


def suppress(boxes: Array, max_iou: float, limit: int, eligible: int | None = None) -> Groups:
    """The boxes that stay, at most `limit`, and which others each of them stands for.

    boxes: (N, 4) x1, y1, x2, y2 in descending score. A box stays unless it overlaps one that stays by more than
    max_iou; those after the first `eligible` (all by default) never stay. One step a box that stays: N * limit in all.
    """
    best: list[int] = []
    member = np.full(len(boxes), -1, np.intp)
    left = np.arange(len(boxes))
    end = len(boxes) if eligible is None else eligible
    while len(left) and left[0] < end and len(best) < limit:
        first, left = left[0], left[1:]
        taken = iou(boxes[first], boxes[left]) > max_iou
        member[first] = len(best)
        member[left[taken]] = len(best)
        best.append(int(first))
        left = left[~taken]
    return Groups(np.array(best, np.intp), member)
