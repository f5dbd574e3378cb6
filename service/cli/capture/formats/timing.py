"""When a film's frames are, for formats that count frames."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.cli.capture.take import Film

# Timestamps of Matroska and WebM are whole milliseconds: a frame's is off by half of one, and so is the first frame's.
ROUNDING_SECONDS: Final = 1.1e-3


def is_even(film: Film) -> bool:
    """Whether the frames are as far apart as the film's rate says, but for the rounding of timestamps."""
    even = np.arange(len(film)) / float(film.timecode.rate)
    return bool((np.abs(film.timestamps - even) < ROUNDING_SECONDS).all())


def positions(film: Film) -> NDArray[np.float64]:
    """(N,) where the frames are, in frames of the film's rate from the first one: whole numbers where it is even."""
    if is_even(film):
        return np.arange(len(film), dtype=np.float64)
    return film.timestamps * float(film.timecode.rate)
