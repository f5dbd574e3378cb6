"""What a teacher says about the expressions of unlabelled photos, kept in a file: the reference for networks.

    name        (N,) of each sample
    landmarks   (N, 68, 2) pixels of its largest face, NaN where the teacher found none
    expression  (N, 46) its weights in [0, 1], NaN likewise
    gaze        (N, 8) its eyeLook* in [0, 1], NaN likewise; files of earlier versions lack it

Labels from elsewhere serve as well: write such a .npz file, named after the data set, into the folder of the cache.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.vision.arkit import arkit_matrix
from service.vision.face_model import EXPRESSIONS, LANDMARKS
from service.vision.gaze import no_gaze
from training.evaluation.datasets.sample import Floats, Sample
from training.evaluation.detection import area
from training.evaluation.prediction import Predictor, close

ARRAYS = ("name", "landmarks", "expression")


def reference(
    samples: Iterable[Sample], cache: Path, make_teacher: Callable[[], Predictor], wanted: tuple[str, ...] = ARRAYS
) -> dict[str, Floats]:
    """The wanted of the arrays above for these samples, perhaps more: from the file `cache` if it knows them all, else
    made anew."""
    samples = list(samples)
    if cache.exists():
        with np.load(cache) as file:
            kept = {key: file[key] for key in wanted if key in file.files}
        if len(kept) == len(wanted) and {sample.name for sample in samples} <= set(kept["name"].tolist()):
            return kept
    teacher = make_teacher()
    arrays = _label(samples, teacher)
    close(teacher)
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        cache,
        name=arrays["name"],
        landmarks=arrays["landmarks"],
        expression=arrays["expression"],
        gaze=arrays["gaze"],
    )
    return {key: arrays[key] for key in wanted}


def _label(samples: list[Sample], teacher: Predictor) -> dict[str, Floats]:
    landmarks = np.full((len(samples), LANDMARKS, 2), np.nan)
    expression = np.full((len(samples), EXPRESSIONS), np.nan)
    gaze = no_gaze(len(samples))
    for row, sample in enumerate(samples):
        seen = teacher(sample.read())
        if len(seen.score) and seen.expression is not None:
            largest = int(area(seen.box).argmax())
            landmarks[row], expression[row] = seen.landmarks[largest], seen.expression[largest]
            if seen.gaze is not None:
                gaze[row] = seen.gaze[largest]
    names = np.array([s.name for s in samples])
    return {"name": names, "landmarks": landmarks, "expression": expression, "gaze": gaze}


def expression_of_arkit(names: tuple[str, ...]) -> NDArray[np.float64]:
    """(46, 52) takes ARKit's weights to the face model's: halves get their whole's weight, bilateral ones the mean."""
    involved = arkit_matrix(names) > 0
    mean: NDArray[np.float64] = involved / involved.sum(axis=1, keepdims=True)
    return mean
