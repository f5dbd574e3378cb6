"""What a teacher says about the expressions of unlabelled photos, kept in a file: the reference for networks.

    name        (N,) of each sample
    landmarks   (N, 68, 2) pixels of its largest face, NaN where the teacher found none
    expression  (N, 46) its weights in [0, 1], NaN likewise

Labels from elsewhere serve as well: write such a .npz file, named after the data set, into the folder of the cache.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.arkit import arkit_matrix
from service.face_model import EXPRESSIONS, LANDMARKS
from training.evaluation.datasets.sample import Floats, Sample
from training.evaluation.detection import area
from training.evaluation.prediction import Predictor, close

ARRAYS = ("name", "landmarks", "expression")


def reference(samples: Iterable[Sample], cache: Path, make_teacher: Callable[[], Predictor]) -> dict[str, Floats]:
    """The arrays above for these samples, perhaps more: from the file `cache` if it knows them all, else made anew."""
    samples = list(samples)
    if cache.exists():
        with np.load(cache) as file:
            arrays = {key: file[key] for key in ARRAYS}
        if {sample.name for sample in samples} <= set(arrays["name"].tolist()):
            return arrays
    teacher = make_teacher()
    arrays = _label(samples, teacher)
    close(teacher)
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.savez(cache, name=arrays["name"], landmarks=arrays["landmarks"], expression=arrays["expression"])
    return arrays


def _label(samples: list[Sample], teacher: Predictor) -> dict[str, Floats]:
    landmarks = np.full((len(samples), LANDMARKS, 2), np.nan)
    expression = np.full((len(samples), EXPRESSIONS), np.nan)
    for row, sample in enumerate(samples):
        seen = teacher(sample.read())
        if len(seen.score) and seen.expression is not None:
            largest = int(area(seen.box).argmax())
            landmarks[row], expression[row] = seen.landmarks[largest], seen.expression[largest]
    return {"name": np.array([s.name for s in samples]), "landmarks": landmarks, "expression": expression}


def expression_of_arkit(names: tuple[str, ...]) -> NDArray[np.float64]:
    """(46, 52) takes ARKit's weights to the face model's: halves get their whole's weight, bilateral ones the mean."""
    involved = arkit_matrix(names) > 0
    mean: NDArray[np.float64] = involved / involved.sum(axis=1, keepdims=True)
    return mean
