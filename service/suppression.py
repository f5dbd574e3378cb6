"""Greedy non-maximum suppression: of boxes that overlap, the one with the best score stays."""

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


def suppress(boxes: Array, max_iou: float, limit: int) -> NDArray[np.intp]:
    """Indices of the boxes that stay, at most `limit`. boxes: (N, 4) x1, y1, x2, y2 in descending score.

    A box stays unless it overlaps one that stays by more than max_iou. One step a box that stays: N * limit in all.
    """
    kept: list[int] = []
    left = np.arange(len(boxes))
    while len(left) and len(kept) < limit:
        best, left = left[0], left[1:]
        kept.append(int(best))
        left = left[iou(boxes[best], boxes[left]) <= max_iou]
    return np.array(kept, np.intp)
