"""The load of a day, second by second, as a share of the day's peak."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DAY_SECONDS: Final = 86_400
HOUR: Final = 3600.0
# Hour, standard deviation in hours and height of each hill; what stays at night.
WEB: Final = ((10.5, 1.5, 0.80), (15.0, 2.0, 0.35), (20.0, 1.8, 0.88))
WEB_NIGHT: Final = 0.10
STREAMS: Final = ((15.0, 3.0, 0.25), (20.5, 1.7, 0.92))
STREAMS_NIGHT: Final = 0.08
# Wander of the load about its curve: how long it lasts, seconds, and its standard deviation.
NOISE: Final = ((30.0, 0.03), (600.0, 0.04))


@dataclass(frozen=True)
class Burst:
    """What multiplies the load by `factor`. Seconds: of the day at its start, until it is there, that it lasts, until
    it is over."""

    factor: float
    start: float
    rise: float
    lasts: float
    fall: float


# Both begin just after Prometheus has looked.
EVENT: Final = Burst(3.0, 12 * HOUR + 6, 30.0, 20 * 60.0, 10 * 60.0)
OVERLOAD: Final = Burst(1.7, 15 * HOUR + 6, 5.0, 2 * 60.0, 5.0)


def web(seed: int) -> Array:
    """(86400,) requests: low at night, a peak in the morning and a higher one in the evening, and noise."""
    return _curve(WEB, WEB_NIGHT) * _noise(seed)


def streams() -> Array:
    """(86400,) open streams: one peak, in the evening. Their coming and going is noise enough."""
    return _curve(STREAMS, STREAMS_NIGHT)


def with_burst(load: Array, burst: Burst) -> Array:
    """The load (86400,) with a burst."""
    times = np.cumsum([burst.start, burst.rise, burst.lasts, burst.fall])
    factor: Array = np.interp(np.arange(len(load)), times, [1, burst.factor, burst.factor, 1])
    return load * factor


def _curve(hills: tuple[tuple[float, float, float], ...], night: float) -> Array:
    hour = np.arange(DAY_SECONDS) / HOUR
    curve: Array = np.full(DAY_SECONDS, night)
    for middle, width, height in hills:
        away = np.abs(hour - middle)
        curve += height * np.exp(-0.5 * (np.minimum(away, 24 - away) / width) ** 2)
    curve /= curve.max()
    return curve


def _noise(seed: int) -> Array:
    """(86400,) factors about 1: the sum of autoregressive processes of first order."""
    random = np.random.default_rng(seed)
    factor = np.ones(DAY_SECONDS)
    for lasting, deviation in NOISE:
        keep = np.exp(-1 / lasting)
        shocks = random.standard_normal(DAY_SECONDS) * deviation * np.sqrt(1 - keep**2)
        value = 0.0
        for second, shock in enumerate(shocks):
            value = keep * value + shock
            factor[second] += value
    return np.maximum(factor, 0.0)
