"""Who said what a label says, saved with combined labels as `source` (N,) uint8."""

from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.arrays import read_arrays
from training.data.faces import FaceLabels


class Source(IntEnum):
    """Who said what a label says."""

    NOBODY = 0  # only the box is known
    FIRST_TEACHER = 1
    SECOND_TEACHER = 2
    SFN = 3  # the single face network, which must not learn from these


def save_with_sources(labels: FaceLabels, source: NDArray[np.uint8], path: Path) -> None:
    """Writes labels that FaceLabels.load reads, with the source (N,) of each. An older file stays whole until the
    end."""
    new = path.with_suffix(".new.npz")
    labels.save(new, source=source)
    new.replace(path)


def read_sources(path: Path) -> NDArray[np.uint8]:
    """(N,) uint8 values of Source. Raises SystemExit where the labels were not combined."""
    advice = "expected labels of python -m training.labels.combine"
    return np.asarray(read_arrays(path, "source", advice=advice)["source"], np.uint8)
