"""How well faces are found: average precision as of paper section 4.2, and recall at few false alarms.

Average precision is COCO's: over all pictures, detections in descending score; precision made monotonous and averaged
over the 101 recalls 0, 0.01, ... 1; AP is the mean over the IoU thresholds 0.50, 0.55, ... 0.95, AP50 and AP75 those of
one threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
MOST_DETECTIONS = 100  # a picture, the best ones, as in COCO
MOST_FACES = 20  # pictures with more annotated faces are left out, and
SMALLEST_FACE = 0.02  # faces narrower or lower than this share of the picture are ignored (paper section 4.1)
FALSE_ALARMS = 0.1  # a picture: one in ten pictures
NETWORK_SIDE = 288  # pixels of the picture's longer side at which the heights below are counted
HEIGHTS = (0.0, 12.0, 18.0, 26.0, 42.0, float("inf"))


@dataclass(frozen=True)
class HeightRecall:
    """Faces of `low` up to `high` pixels in height when the picture's longer side has 288: how many there are, how many
    are found (IoU 0.5) at the score of one false alarm in ten pictures, and how many at any score."""

    low: float
    high: float
    faces: int
    found: int
    found_at_any_score: int


@dataclass(frozen=True)
class DetectionMetrics:
    """ap, ap50, ap75: in percent, NaN where no face counts. found: faces (of `faces`) at the score `score`, the lowest
    with at most one false alarm in ten pictures at IoU 0.5; infinite where even the best detection is too many."""

    pictures: int
    faces: int
    ignored: int
    ap: float
    ap50: float
    ap75: float
    found: int
    score: float
    by_height: tuple[HeightRecall, ...]

    @property
    def recall(self) -> float:
        """Percent of the faces found at one false alarm in ten pictures."""
        return 100 * self.found / self.faces if self.faces else float("nan")


def pairwise_iou(a: Floats, b: Floats) -> NDArray[np.float64]:
    """(N, M) intersection over union of boxes (N, 4) and (M, 4), x1, y1, x2, y2."""
    a, b = a.reshape(-1, 4).astype(np.float64), b.reshape(-1, 4).astype(np.float64)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    intersection = np.maximum(high - low, 0).prod(axis=-1)
    union = area(a)[:, None] + area(b)[None] - intersection
    ratio: NDArray[np.float64] = intersection / np.maximum(union, np.finfo(np.float64).tiny)
    return ratio


def area(boxes: Floats) -> NDArray[np.float64]:
    """(N,) of boxes (N, 4); a box turned inside out has none."""
    size: NDArray[np.float64] = np.maximum(boxes[:, 2:] - boxes[:, :2], 0).astype(np.float64).prod(axis=-1)
    return size


def too_small(boxes: Floats, size: tuple[int, int]) -> Bools:
    """(M,) whether boxes (M, 4) are under 2 % of a picture of size (width, height) in either dimension."""
    small = boxes[:, 2:] - boxes[:, :2] < SMALLEST_FACE * np.asarray(size)
    return small[:, 0] | small[:, 1]


def match(boxes: Floats, faces: Floats, ignored: Bools) -> tuple[Bools, Bools, NDArray[np.intp]]:
    """Assigns detections to annotated faces as COCO does: in descending score, each to the free face it overlaps most.

    boxes: (N, 4) in descending score. faces: (M, 4). ignored: (M,). Faces that count come before ignored ones.
    Returns for each IoU threshold whether a detection is right (10, N) and whether it lies on an ignored face (10, N),
    and the face it took at the lowest threshold (N,), -1 for none.
    """
    right = np.zeros((len(IOU_THRESHOLDS), len(boxes)), bool)
    neutral = np.zeros_like(right)
    first_face = np.full(len(boxes), -1)
    free = np.ones((len(IOU_THRESHOLDS), len(faces)), bool)
    overlap = pairwise_iou(boxes, faces)
    rows = np.arange(len(IOU_THRESHOLDS))
    thresholds = IOU_THRESHOLDS[:, None] - 1e-10
    for i in np.flatnonzero(overlap.max(axis=1, initial=0) >= thresholds[0, 0]):
        able = free & (overlap[i] >= thresholds)
        counting = able & ~ignored
        able = np.where(counting.any(axis=1)[:, None], counting, able)
        face = np.where(able, overlap[i], -1.0).argmax(axis=1)
        taken = able[rows, face]
        free[rows[taken], face[taken]] = False
        right[:, i] = taken & ~ignored[face]
        neutral[:, i] = taken & ignored[face]
        if taken[0]:
            first_face[i] = face[0]
    return right, neutral, first_face


def average_precision(right: Bools, faces: int) -> float:
    """Percent, by COCO's 101 recalls. right: (N,) of all detections in descending score. faces: how many there are."""
    if faces == 0:
        return float("nan")
    found = np.cumsum(right)
    precision = found / np.arange(1, len(right) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]  # the best precision at this recall or a higher one
    at = np.searchsorted(found / faces, RECALLS, side="left")
    return float(100 * np.append(precision, 0.0)[np.minimum(at, len(precision))].mean())


def detection_metrics(
    detections: Sequence[tuple[Floats, Floats]],
    annotations: Sequence[tuple[Floats, Bools]],
    sizes: Sequence[tuple[int, int]],
) -> DetectionMetrics:
    """Measures the detections of a set of pictures under the paper's rule (section 4.1).

    detections: a picture's boxes (N, 4), x1, y1, x2, y2 pixels, and scores (N,), in any order; give low scores too.
    annotations: its faces' boxes (M, 4), same pixels, and which are to be ignored (M,) bool because the annotation
    says so. sizes: its (width, height). Pictures with over 20 annotated faces are left out; faces under 2 % of the
    picture are ignored: not finding them is no miss, finding them no false alarm. Raises ValueError on lengths that
    differ.
    """
    order: list[tuple[Floats, Bools, Bools]] = []
    heights, first_score, ignored_faces, pictures = [], [], 0, 0
    for (boxes, scores), (faces, marked), size in zip(detections, annotations, sizes, strict=True):
        faces = np.asarray(faces, np.float64).reshape(-1, 4)
        if len(faces) > MOST_FACES:
            continue
        pictures += 1
        best = np.argsort(-np.asarray(scores), kind="stable")[:MOST_DETECTIONS]
        boxes, scores = np.asarray(boxes).reshape(-1, 4)[best], np.asarray(scores)[best]
        ignored = np.asarray(marked, bool) | too_small(faces, size)
        right, neutral, face = match(boxes, faces, ignored)
        order.append((scores, right, neutral))
        score_of_face = np.full(len(faces), -np.inf)  # of the detection that found it at IoU 0.5
        score_of_face[face[face >= 0]] = scores[face >= 0]
        first_score.append(score_of_face[~ignored])
        heights.append((faces[~ignored, 3] - faces[~ignored, 1]) * NETWORK_SIDE / max(size))
        ignored_faces += int(ignored.sum())
    count = sum(map(len, heights))
    score, right, neutral = _by_score(order)
    precision = [average_precision(row[~off], count) for row, off in zip(right, neutral, strict=True)]
    false_alarms = np.cumsum(~right[0] & ~neutral[0])
    operating = int(np.searchsorted(false_alarms, FALSE_ALARMS * pictures + 1e-9, side="right"))
    while 0 < operating < len(score) and score[operating] == score[operating - 1]:
        operating -= 1  # no threshold lies between equal scores
    threshold = float(score[operating - 1]) if operating else float("inf")
    return DetectionMetrics(
        pictures=pictures,
        faces=count,
        ignored=ignored_faces,
        ap=float(np.mean(precision)),
        ap50=precision[0],
        ap75=precision[int(np.argmin(np.abs(IOU_THRESHOLDS - 0.75)))],
        found=int(right[0, :operating].sum()),
        score=threshold,
        by_height=_by_height(_concatenate(heights), _concatenate(first_score), threshold),
    )


def _by_score(pictures: list[tuple[Floats, Bools, Bools]]) -> tuple[Floats, Bools, Bools]:
    """All pictures' detections together, in descending score: scores (N,), right (10, N), neutral (10, N)."""
    if not pictures:
        nothing = np.zeros((len(IOU_THRESHOLDS), 0), bool)
        return np.zeros(0), nothing, nothing
    score = np.concatenate([p[0] for p in pictures])
    best = np.argsort(-score, kind="stable")
    right, neutral = (np.concatenate([p[k] for p in pictures], axis=1)[:, best] for k in (1, 2))
    return score[best], right, neutral


def _concatenate(parts: list[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.zeros(0)


def _by_height(height: Floats, score: Floats, threshold: float) -> tuple[HeightRecall, ...]:
    rows = []
    for low, high in pairwise(HEIGHTS):
        of_height = score[(height >= low) & (height < high)]
        found = int((of_height >= threshold).sum())
        rows.append(HeightRecall(low, high, len(of_height), found, int(np.isfinite(of_height).sum())))
    return tuple(rows)
