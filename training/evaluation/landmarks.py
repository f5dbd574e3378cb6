"""How well the 68 landmarks lie: normalised mean error, area under the cumulative error curve, yaw bins (paper 4.2).

Coordinates are compared as annotated. Annotations may count pixels from 1 or from pixel centres; the mean residual in
pixels, which is reported beside the errors, shows such an offset.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

INNER = slice(17, 68)  # brows, nose, eyes and mouth, without the jaw line
CURVE_END = 0.05  # of the box's diagonal: where the cumulative error curve ends, as in Deng et al. (paper's [15])
LEAST_OVERLAP = 0.2  # IoU of the landmarks' boxes; below it a predicted face is another one, the annotated one missed
YAW_BINS = ((0.0, 30.0), (30.0, 60.0), (60.0, 90.0))  # degrees, as the paper's table 3


@dataclass(frozen=True)
class LandmarkMetrics:
    """Holds the errors of landmarks: of `faces` annotated faces, `missed` without a prediction. nme, nme_inner: mean
    over the faces found, in percent of sqrt(w h) of the annotated 68 points' box; nme_inner over points 17 to 67. auc:
    of the cumulative error curve up to 5 % of the box's diagonal, 0 to 1, missed faces counted as infinitely far off.
    failed: faces beyond 5 % of the diagonal, missed ones included. shift: mean of predicted minus annotated points,
    pixels, x to the right and y down. Means over no face are NaN."""

    faces: int
    missed: int
    nme: float
    nme_inner: float
    auc: float
    failed: int
    shift: tuple[float, float]


@dataclass(frozen=True)
class YawMetrics:
    """A row of the paper's table 3: nme in percent for the faces of each yaw bin, how many were found there, and the
    mean of the three figures."""

    nme: tuple[float, ...]
    found: tuple[int, ...]
    mean: float


def box_of(points: Floats) -> Floats:
    """(..., 4) x1, y1, x2, y2 of the points (..., 68, 2)."""
    return np.concatenate([points.min(axis=-2), points.max(axis=-2)], axis=-1)


def point_errors(predicted: Floats, annotated: Floats) -> NDArray[np.float64]:
    """(M, 68) distances in pixels of points (M, 68, 2); NaN where a prediction is."""
    distance: NDArray[np.float64] = np.linalg.norm(np.subtract(predicted, annotated, dtype=np.float64), axis=-1)
    return distance


def size_of_box(points: Floats) -> NDArray[np.float64]:
    """(M,) sqrt(w h), pixels, of the box of faces' points (M, 68, 2)."""
    size: NDArray[np.float64] = np.sqrt((points.max(axis=1) - points.min(axis=1)).astype(np.float64).prod(axis=-1))
    return size


def normalised_mean_error(predicted: Floats, annotated: Floats, points: slice = slice(None)) -> NDArray[np.float64]:
    """(M,) percent: mean distance over `points` of faces (M, 68, 2), over sqrt(w h) of the annotated 68 points' box."""
    errors = point_errors(predicted, annotated)[:, points].mean(axis=1)
    error: NDArray[np.float64] = 100 * errors / size_of_box(annotated)
    return error


def diagonal_error(predicted: Floats, annotated: Floats) -> NDArray[np.float64]:
    """(M,) mean distance over the 68 points as a share of the diagonal of the annotated points' box."""
    diagonal = np.linalg.norm((annotated.max(axis=1) - annotated.min(axis=1)).astype(np.float64), axis=-1)
    error: NDArray[np.float64] = point_errors(predicted, annotated).mean(axis=1) / diagonal
    return error


def area_under_curve(errors: Floats, end: float = CURVE_END) -> float:
    """Area, 0 to 1, under the share of faces with at most an error, from 0 to `end`; a NaN error is never reached.

    The integral of the step function is exact: a face of error e is counted from e to the end.
    """
    if len(errors) == 0:
        return float("nan")
    reached = np.clip(1 - np.where(np.isnan(errors), np.inf, errors) / end, 0, 1)
    return float(reached.mean())


def landmark_metrics(predicted: Floats, annotated: Floats) -> LandmarkMetrics:
    """Measures M faces. predicted, annotated: (M, 68, 2) pixels, in iBUG order; a predicted face of NaN is a miss."""
    missing = np.isnan(predicted).any(axis=(1, 2))
    found_predicted, found_annotated = predicted[~missing], annotated[~missing]
    errors = diagonal_error(predicted, annotated)
    shift = (found_predicted - found_annotated).reshape(-1, 2)
    return LandmarkMetrics(
        faces=len(annotated),
        missed=int(missing.sum()),
        nme=_mean(normalised_mean_error(found_predicted, found_annotated)),
        nme_inner=_mean(normalised_mean_error(found_predicted, found_annotated, INNER)),
        auc=area_under_curve(errors),
        failed=int((~(errors <= CURVE_END)).sum()),
        shift=(_mean(shift[:, 0]), _mean(shift[:, 1])),
    )


def yaw_metrics(predicted: Floats, annotated: Floats, yaw: Floats) -> YawMetrics:
    """The figures of landmark_metrics by |yaw| (M,) in degrees; a bin includes its upper end, the first one 0 as
    well."""
    errors = normalised_mean_error(predicted, annotated)
    turned = np.abs(yaw)
    bins = [errors[((turned > low) | (low == 0)) & (turned <= high) & ~np.isnan(errors)] for low, high in YAW_BINS]
    means = tuple(_mean(errors_of_bin) for errors_of_bin in bins)
    return YawMetrics(means, tuple(len(errors_of_bin) for errors_of_bin in bins), float(np.mean(means)))


def nearest_face(predicted: Floats, annotated: Floats) -> int | None:
    """Which of the predicted faces (N, 68, 2) is the annotated one (68, 2): the one whose points' box overlaps most.

    None, a miss, where no box overlaps by an IoU of 0.2.
    """
    if len(predicted) == 0:
        return None
    a, b = box_of(predicted), box_of(annotated)
    intersection = np.maximum(np.minimum(a[:, 2:], b[2:]) - np.maximum(a[:, :2], b[:2]), 0).prod(axis=-1)
    union = (a[:, 2:] - a[:, :2]).prod(axis=-1) + (b[2:] - b[:2]).prod() - intersection
    overlap = intersection / np.maximum(union, 1e-9)
    best = int(overlap.argmax())
    return best if overlap[best] >= LEAST_OVERLAP else None


def matched(predictions: Sequence[Floats], annotations: Sequence[Floats]) -> tuple[Floats, Floats]:
    """The inputs of landmark_metrics, (M, 68, 2) each, of the predicted (N, 68, 2) and annotated (K, 68, 2) faces of
    pictures."""
    rows, truth = [], []
    for predicted, annotated in zip(predictions, annotations, strict=True):
        for face in annotated:
            best = nearest_face(predicted, face)
            rows.append(np.full((68, 2), np.nan) if best is None else predicted[best])
            truth.append(face)
    return np.array(rows, np.float64).reshape(-1, 68, 2), np.array(truth, np.float64).reshape(-1, 68, 2)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")
