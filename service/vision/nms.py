"""Greedy non-maximum suppression: of boxes that overlap, the one with the best score stays."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Array

BLOCK_ROWS: Final = 64  # boxes whose overlaps with all others are computed, and kept in memory, at once


def iou(first: Array, second: Array) -> Array:
    """Intersection over union (M, N) of boxes (M, 4) with boxes (N, 4), each x1, y1, x2, y2."""
    intersection, union = _intersection_and_union(first, second)
    ratio: Array = intersection / np.maximum(union, np.finfo(np.float32).tiny)
    return ratio


def _intersection_and_union(first: Array, second: Array) -> tuple[Array, Array]:
    """Areas (M, N) of the intersections and unions of boxes (M, 4) with boxes (N, 4)."""
    x1, y1, x2, y2 = first.T[..., None]
    u1, v1, u2, v2 = np.ascontiguousarray(second.T)
    left, top = np.maximum(x1, u1), np.maximum(y1, v1)
    width = np.maximum(np.minimum(x2, u2), left) - left
    height = np.maximum(np.minimum(y2, v2), top) - top
    intersection = width * height
    return intersection, (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - intersection


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
    member = np.full(len(boxes), -1)
    best: list[NDArray[np.intp]] = []
    count = 0  # of boxes that stay
    left = np.arange(len(boxes))  # those that neither stay nor are suppressed yet
    end = len(boxes) if eligible is None else min(eligible, len(boxes))  # in `left`, of those that may stay
    while end and count < limit:
        block = min(end, BLOCK_ROWS)
        intersection, union = _intersection_and_union(boxes[:block], boxes)
        overlaps = intersection > max_iou * union
        stay = _greedy(overlaps[:, :block], limit - count)
        joins = overlaps.take(stay, axis=0)
        rows = joins.argmax(axis=0)  # of the first, and so the best, that each box overlaps
        joined = np.logical_or.reduce(joins)
        rows[stay] = np.arange(len(stay))  # a box without area overlaps not even itself
        joined[stay] = True
        member[left[joined]] = count + rows[joined]
        best.append(left[stay])
        count += len(stay)
        rest = ~joined
        rest[:block] = False  # those stay or are suppressed, or are beyond the limit
        end = int(np.count_nonzero(rest[:end]))
        if end:
            boxes, left = boxes[rest], left[rest]
    return Groups(np.concatenate(best) if best else left[:0], member)


def _greedy(overlaps: NDArray[np.bool_], limit: int) -> NDArray[np.intp]:
    """The rows of a square matrix of overlaps that stay: those that overlap none before them that stays."""
    packed = np.packbits(overlaps, axis=1, bitorder="little")
    stay: list[int] = []
    suppressed = 0  # a bit a column, the first one lowest
    for row, bits in enumerate(packed):
        if not suppressed >> row & 1:
            stay.append(row)
            suppressed |= int.from_bytes(bits, "little")
            if len(stay) == limit:
                break
    return np.array(stay, np.intp)
