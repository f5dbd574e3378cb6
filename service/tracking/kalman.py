"""Where moving faces are by now: a Kalman filter of constant velocity for each, exact for any step of time.

Velocity is disturbed by white noise (Bar-Shalom, Li and Kirubarajan, "Estimation with Applications to Tracking and
Navigation", 2001, section 6.2.2), so that two steps of 1/60 s are one of 1/30 s. Centre in pixels and logarithm of the
size move alike: uncertainty is kept once for all four, in units of the face's size, and shows in no gain.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from service.tracking.rows import Rows
from service.vision.arrays import Array

# Standard deviation of a detected box' centre, in face sizes: over a still face as over its neighbours in time.
SEEN_NOISE: Final = 0.03
# A face 15 cm wide that changes its pace by 0.26 m/s in half a second: (1.7 sizes / s)^2 / 0.5 s.
JERKINESS: Final = 6.0  # face sizes^2 / s^3
# Of a face seen once: 0.3 m/s either way.
FIRST_SPEED: Final = 2.0  # face sizes / s
MIN_SIDE: Final = 1e-3  # pixels; keeps the logarithm of a side finite


@dataclass(frozen=True)
class KalmanBoxes(Rows):
    """T moving boxes, float64. place: (T, 4) centre x, y in pixels, log width, log height. velocity: (T, 4) the same a
    second. variance, covariance, speed_variance: (T,) of place, of place with velocity, of velocity, in face sizes."""

    place: Array
    velocity: Array
    variance: Array
    covariance: Array
    speed_variance: Array

    @classmethod
    def start(cls, box: Array) -> Self:
        """Of boxes (N, 4) x1, y1, x2, y2 that are seen for the first time."""
        place = _place(box)
        number = len(place)
        return cls(
            place,
            np.zeros_like(place),
            np.full(number, SEEN_NOISE**2),
            np.zeros(number),
            np.full(number, FIRST_SPEED**2),
        )

    @property
    def box(self) -> Array:
        """(T, 4) x1, y1, x2, y2, pixels."""
        half = np.exp(self.place[:, 2:]) / 2
        return np.concatenate([self.place[:, :2] - half, self.place[:, :2] + half], axis=-1)

    @property
    def size(self) -> Array:
        """(T,) pixels, the geometric mean of the box' sides."""
        size: Array = np.exp(self.place[:, 2:].mean(axis=-1))
        return size

    @property
    def deviation(self) -> Array:
        """(T,) standard deviation of where the next box' centre is seen, in face sizes."""
        deviation: Array = np.sqrt(self.variance + SEEN_NOISE**2)
        return deviation

    def after(self, seconds: float) -> Self:
        """The boxes, unseen, after a time."""
        t, noise = seconds, JERKINESS
        return type(self)(
            self.place + self.velocity * t,
            self.velocity,
            self.variance + 2 * t * self.covariance + t**2 * self.speed_variance + noise * t**3 / 3,
            self.covariance + t * self.speed_variance + noise * t**2 / 2,
            self.speed_variance + noise * t,
        )

    def corrected(self, box: Array) -> Self:
        """By where the boxes (T, 4) are seen now."""
        total = self.variance + SEEN_NOISE**2
        gain, speed_gain = self.variance / total, self.covariance / total
        error = _place(box) - self.place
        return type(self)(
            self.place + gain[:, None] * error,
            self.velocity + speed_gain[:, None] * error,
            (1 - gain) * self.variance,
            (1 - gain) * self.covariance,
            self.speed_variance - speed_gain * self.covariance,
        )


def _place(box: Array) -> Array:
    low, high = box[:, :2].astype(np.float64), box[:, 2:].astype(np.float64)
    return np.concatenate([(low + high) / 2, np.log(np.maximum(high - low, MIN_SIDE))], axis=-1)
