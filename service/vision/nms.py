"""Greedy non-maximum suppression: of boxes that overlap, the one with the best score stays."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Array

INWARD: Final = np.array([[1], [1], [-1], [-1]], np.float32)  # signs of a box's edges, by which greater is further in
TINY: Final = np.finfo(np.float32).tiny  # pixels squared; keeps the ratio of empty boxes finite


def iou(first: Array, second: Array) -> Array:
    """Intersection over union (M, N) of boxes (M, 4) with boxes (N, 4), each x1, y1, x2, y2."""
    edges, others = _edges(first)[:, :, None], _edges(second)[:, None]
    common = np.maximum(edges, others)
    sides = np.minimum(common[:2] + common[2:], 0)  # of the intersections, negative
    intersection = sides[0] * sides[1]
    union = _areas(edges) + _areas(others) - intersection
    ratio: Array = intersection / np.maximum(union, TINY)
    return ratio


def _edges(boxes: Array) -> Array:
    """x1, y1, -x2 and -y2 (4, N) of boxes (N, 4): of two boxes, the greater of each is their intersection's."""
    edges: Array = np.ascontiguousarray(boxes.T) * INWARD
    return edges


def _areas(edges: Array) -> Array:
    """Areas (...) of boxes with these edges (4, ...)."""
    sides = edges[:2] + edges[2:]
    area: Array = sides[0] * sides[1]
    return area


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
    max_iou; those after the first `eligible` (all by default) never stay.
    """
    best = np.array(_greedy(boxes[:eligible].tolist(), max_iou, limit), np.intp)
    if not len(best):
        return Groups(best, np.full(len(boxes), -1))
    overlaps = iou(boxes.take(best, axis=0), boxes) > max_iou
    # argmax is the first, and so the best, that each box overlaps.
    member = np.where(np.logical_or.reduce(overlaps), overlaps.argmax(axis=0), -1)
    member[best] = np.arange(len(best))  # a box without area overlaps not even itself
    return Groups(best, member)


def _greedy(boxes: list[list[float]], max_iou: float, limit: int) -> list[int]:
    """The rows of boxes x1, y1, x2, y2 that stay, at most `limit`.

    Few boxes may be faces, and most of them do not meet: these comparisons take less time than calls of NumPy.
    """
    stay: list[int] = []
    kept: list[tuple[float, float, float, float, float]] = []  # with their areas
    for row, (x1, y1, x2, y2) in enumerate(boxes):
        area = (x2 - x1) * (y2 - y1)
        for u1, v1, u2, v2, other in kept:
            if x1 < u2 and u1 < x2 and y1 < v2 and v1 < y2:
                intersection = (min(x2, u2) - max(x1, u1)) * (min(y2, v2) - max(y1, v1))
                if intersection > max_iou * (area + other - intersection):
                    break
        else:
            stay.append(row)
            kept.append((x1, y1, x2, y2, area))
            if len(stay) == limit:
                break
    return stay
