"""Greedy non-maximum suppression: of boxes that overlap, the one with the best score stays."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Array

BLOCK_ROWS: Final = 64  # boxes whose overlaps with all others are computed, and kept in memory, at once


def iou(first: Array, second: Array) -> Array:
    """Intersection over union (M, N) of boxes (M, 4) with boxes (N, 4), each x1, y1, x2, y2."""
    a, b = first[:, None], second
    width = np.minimum(a[..., 2], b[:, 2]) - np.maximum(a[..., 0], b[:, 0])
    height = np.minimum(a[..., 3], b[:, 3]) - np.maximum(a[..., 1], b[:, 1])
    intersection = np.maximum(width, 0) * np.maximum(height, 0)
    union = area(a) + area(b) - intersection
    ratio: Array = intersection / np.maximum(union, np.finfo(np.float32).tiny)
    return ratio


def area(boxes: Array) -> Array:
    """Areas (...) of boxes (..., 4), x1, y1, x2, y2."""
    extent: Array = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return extent


@dataclass(frozen=True)
class Groups:
    """The groups that suppression divides N boxes into, one for each box that stays.

    best: (K,) index of each box that stays, in descending score. member: (N,) row in `best` of the box that each box
    was suppressed by, its own row for a box that stays, -1 for a box without a group.
    """

    best: NDArray[np.intp]
    member: NDArray[np.intp]


def suppress(boxes: Array, max_iou: float, limit: int, eligible: int | None = None) -> Groups:
    """Groups boxes by the box that suppresses them; at most `limit` boxes stay.

    boxes: (N, 4) x1, y1, x2, y2 in descending score. A box stays unless it overlaps one that stays by more than
    max_iou; those after the first `eligible` (all by default) never stay. Overlaps are computed in blocks of rows,
    which is faster than a step for each box that stays.
    """
    best: list[int] = []
    member = np.full(len(boxes), -1, np.intp)
    left = np.arange(len(boxes))
    end = len(boxes) if eligible is None else eligible
    while len(left) and left[0] < end and len(best) < limit:
        block = left[:BLOCK_ROWS]
        overlaps = iou(boxes[block], boxes[left]) > max_iou
        alone = np.ones(len(left), bool)
        for row, first in enumerate(block[block < end]):
            if not alone[row]:
                continue
            if len(best) == limit:
                break
            overlaps[row] &= alone
            overlaps[row, row] = True
            member[left[overlaps[row]]] = len(best)
            alone &= ~overlaps[row]
            best.append(int(first))
        alone[: len(block)] = False  # each box of the block stays or is suppressed by now
        left = left[alone]
    return Groups(np.array(best, np.intp), member)
