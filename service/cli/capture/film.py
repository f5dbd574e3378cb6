"""What a film is, once its frames are known: their times, the rate, the timecode."""

from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.cli.capture.take import Film, Timecode
from service.cli.capture.timecode import at_rate, nearest_standard

ROUNDING: Final = 2e-3  # seconds that times of evenly spaced frames are off, since files round them to 1/1000 or 1/600
NEARLY: Final = 0.05  # of a frame, by which rounded times may make a film too short for its last one
MIN_HOLE_SECONDS: Final = 0.5  # of a hole in a film; shorter ones are frame rates that vary


def film_of(
    name: str,
    size: tuple[int, int],
    timestamps: NDArray[np.float64],
    rates: tuple[Fraction, ...],
    timecode: Timecode | None,
) -> Film:
    """A film. size: width and height in pixels. timestamps: (N,) seconds, N >= 1. rates: that it may have, the
    likeliest first. timecode: of its first frame, at the first of the rates; None for zero.

    Where its frames are evenly spaced, their timestamps are exact multiples of the frame's duration.
    """
    seconds = timestamps - timestamps[0]
    rate = even_rate(seconds, rates)
    if rate is not None:
        seconds = np.arange(len(seconds)) / float(rate)
    else:
        rate = nearest_standard(mean_rate(seconds))
    if timecode is None:
        return Film(name, *size, Timecode(0, rate), seconds)
    return Film(name, *size, at_rate(timecode, rate), seconds)


def even_rate(seconds: NDArray[np.float64], rates: tuple[Fraction, ...]) -> Fraction | None:
    """The rate of evenly spaced frames at seconds (N,) from the first one on; None where they are not."""
    if len(seconds) < 2:
        return rates[0]
    candidates = (*rates, *map(nearest_standard, rates), nearest_standard(mean_rate(seconds)))
    numbers = np.arange(len(seconds))
    even = (rate for rate in candidates if np.abs(seconds - numbers / float(rate)).max() <= ROUNDING)
    return next(even, None)


def mean_rate(seconds: NDArray[np.float64]) -> float:
    """Frames a second of two frames or more, at seconds (N,)."""
    return float((len(seconds) - 1) / (seconds[-1] - seconds[0]))


def is_even(film: Film) -> bool:
    """Whether the film's frames are evenly spaced."""
    even = np.arange(len(film)) / float(film.timecode.rate)
    return bool(np.abs(film.timestamps - even).max() <= ROUNDING)


def holes(timestamps: NDArray[np.float64], rate: Fraction | None = None) -> NDArray[np.bool_]:
    """Mask (N - 1,) of pairs of frames between which others are missing: the film is damaged, or the camera was off.

    rate: that the film is resampled to, if it is; between the frames of a slower film others are missing, too.
    """
    apart = np.diff(timestamps)
    if not len(apart):
        return np.zeros(0, np.bool_)
    usual = float(np.median(apart)) if rate is None else float(1 / rate)
    return apart > max(MIN_HOLE_SECONDS, 2 * usual)


def resampled(film: Film, rate: Fraction) -> Film:
    """The film with evenly spaced frames at another rate, as long as it is."""
    count = int(np.floor(film.timestamps[-1] * float(rate) + NEARLY)) + 1
    return replace(
        film, timecode=at_rate(film.timecode, rate), timestamps=np.arange(count, dtype=np.float64) / float(rate)
    )
