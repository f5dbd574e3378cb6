"""When a film's frames are, for formats that count frames."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.cli.capture.take import Film

ROUNDING: Final = 1e-3  # frames


def is_even(film: Film) -> bool:
    """Whether the frames are as far apart as the film's rate says, but for rounding."""
    apart = film.timestamps * float(film.timecode.rate) - np.arange(len(film))
    return bool((np.abs(apart) < ROUNDING).all())


def positions(film: Film) -> NDArray[np.float64]:
    """(N,) where the frames are, in frames of the film's rate from the first one: whole numbers where it is even."""
    if is_even(film):
        return np.arange(len(film), dtype=np.float64)
    return film.timestamps * float(film.timecode.rate)
