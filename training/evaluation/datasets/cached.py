"""Data sets that are made by a program: kept once they are made."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.generic]]


def cached(path: Path, make: Callable[[], Arrays]) -> Arrays:
    """The arrays that `make` gives; written to `path`, an .npz file, and read from there the next time."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, allow_pickle=False, **make())
    with np.load(path) as file:
        return {key: file[key] for key in file.files}
