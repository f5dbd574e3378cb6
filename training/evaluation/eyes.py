"""How well the eyes are seen, which the paper names as its joint network's weakness (section 5.4, table 5)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.landmarks import size_of_box

Floats = NDArray[np.floating[Any]]

# From this weight of eyeBlink on an eye counts as closed. Over the acted clips and half of LFW the teacher gives open
# eyes up to 0.3, more where they look down, and shut ones 0.4 to 0.8; fewest eyes lie between.
CLOSED = 0.4
LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))  # of the 68 points, upper and lower, of both eyes
BLINKS = ("eyeBlink_L", "eyeBlink_R")


@dataclass(frozen=True)
class EyeMetrics:
    """Holds how well blinks and gaze are told, of `faces` faces with `closed` closed eyes in the reference. blink: mean
    |difference| of eyeBlink of those eyes; NaN where there is none. eyes: mean |difference| of all coefficients of the
    eyes over all faces."""

    faces: int
    closed: int
    blink: float
    eyes: float


@dataclass(frozen=True)
class LidMetrics:
    """Opening of the lids, predicted minus annotated, in percent of sqrt(w h) of the annotated points' box: error, the
    mean absolute value, and bias, the mean, over `faces` faces with two eyes of two pairs of points each."""

    faces: int
    error: float
    bias: float


def eye_metrics(predicted: Floats, reference: Floats, names: tuple[str, ...]) -> EyeMetrics:
    """Compares coefficients (M, C) with reference ones (M, C). Raises ValueError where names lack eyeBlink_L or _R."""
    difference = np.abs(np.subtract(predicted, reference, dtype=np.float64))
    blinks = [names.index(name) for name in BLINKS]
    closed = reference[:, blinks] > CLOSED
    eyes = [index for index, name in enumerate(names) if name.startswith("eye")]
    return EyeMetrics(
        faces=len(predicted),
        closed=int(closed.sum()),
        blink=float(difference[:, blinks][closed].mean()) if closed.any() else float("nan"),
        eyes=float(difference[:, eyes].mean()) if len(predicted) else float("nan"),
    )


def lid_opening(points: Floats) -> Floats:
    """(M, 4) distances in pixels between upper and lower lid of faces (M, 68, 2)."""
    upper, lower = np.array(LIDS).T
    distance: Floats = np.linalg.norm(points[:, upper] - points[:, lower], axis=-1)
    return distance


def lid_metrics(predicted: Floats, annotated: Floats) -> LidMetrics:
    """Of faces (M, 68, 2) in pixels; predicted faces of NaN are left out."""
    found = ~np.isnan(predicted).any(axis=(1, 2))
    predicted, annotated = predicted[found], annotated[found]
    if not len(predicted):
        return LidMetrics(0, float("nan"), float("nan"))
    error = 100 * (lid_opening(predicted) - lid_opening(annotated)) / size_of_box(annotated)[:, None]
    return LidMetrics(len(predicted), float(np.abs(error).mean()), float(error.mean()))
