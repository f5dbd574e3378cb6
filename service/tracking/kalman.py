"""Kalman filters of faces' boxes with constant velocity, exact for any time step.

The acceleration is white noise (Bar-Shalom, Li and Kirubarajan, "Estimation with Applications to Tracking and
Navigation", 2001, section 6.2.2), so two steps of 1/60 s equal one of 1/30 s. The centre in pixels and the logarithm of
the size follow the same model, so one covariance, in units of the face's size, serves all four coordinates of a box.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from service.tracking.rows import Rows
from service.vision.arrays import Array

MEASUREMENT_NOISE: Final = 0.03  # face sizes, standard deviation of a detected box's centre
# Power spectral density of the acceleration, face sizes^2 / s^3: a face 15 cm wide that changes its speed by 0.26 m/s
# in half a second, (1.7 sizes / s)^2 / 0.5 s.
PROCESS_NOISE: Final = 6.0
INITIAL_SPEED: Final = 2.0  # face sizes / s, standard deviation for a new box; 0.3 m/s
MIN_SIDE: Final = 1e-3  # pixels; keeps the logarithm of a side finite


@dataclass(frozen=True)
class KalmanBoxes(Rows):
    """The filters' states of T boxes, float64.

    position: (T, 4) centre x, y in pixels, log width, log height. velocity: (T, 4) the same per second. variance,
    covariance, speed_variance: (T,) of position, of position with velocity, and of velocity, in face sizes.
    """

    position: Array
    velocity: Array
    variance: Array
    covariance: Array
    speed_variance: Array

    @classmethod
    def start(cls, box: Array) -> Self:
        """Initial states of boxes (N, 4), x1, y1, x2, y2 in pixels."""
        position = positions_of(box)
        number = len(position)
        return cls(
            position,
            np.zeros_like(position),
            np.full(number, MEASUREMENT_NOISE**2),
            np.zeros(number),
            np.full(number, INITIAL_SPEED**2),
        )

    @property
    def box(self) -> Array:
        """Boxes (T, 4) x1, y1, x2, y2 in pixels."""
        half = np.exp(self.position[:, 2:]) / 2
        return np.concatenate([self.position[:, :2] - half, self.position[:, :2] + half], axis=-1)

    @property
    def size(self) -> Array:
        """Sizes (T,) in pixels: the geometric means of the boxes' sides."""
        return sizes_of(self.position)

    @property
    def deviation(self) -> Array:
        """Standard deviations (T,) of where the next box's centre will be measured, in face sizes."""
        deviation: Array = np.sqrt(self.variance + MEASUREMENT_NOISE**2)
        return deviation

    def predict(self, seconds: float) -> Self:
        """The states predicted for a time later."""
        t, noise = seconds, PROCESS_NOISE
        return type(self)(
            self.position + self.velocity * t,
            self.velocity,
            self.variance + 2 * t * self.covariance + t**2 * self.speed_variance + noise * t**3 / 3,
            self.covariance + t * self.speed_variance + noise * t**2 / 2,
            self.speed_variance + noise * t,
        )

    def update(self, box: Array) -> Self:
        """The states updated by measured boxes (T, 4), x1, y1, x2, y2 in pixels."""
        total = self.variance + MEASUREMENT_NOISE**2
        gain, speed_gain = self.variance / total, self.covariance / total
        error = positions_of(box) - self.position
        return type(self)(
            self.position + gain[:, None] * error,
            self.velocity + speed_gain[:, None] * error,
            (1 - gain) * self.variance,
            (1 - gain) * self.covariance,
            self.speed_variance - speed_gain * self.covariance,
        )


def positions_of(box: Array) -> Array:
    """Centres x, y in pixels and logarithms of width and height (N, 4), float64, of boxes (N, 4)."""
    exact = box.astype(np.float64)
    low, high = exact[:, :2], exact[:, 2:]
    return np.concatenate([(low + high) / 2, np.log(np.maximum(high - low, MIN_SIDE))], axis=-1)


def sizes_of(position: Array) -> Array:
    """Sizes (N,) in pixels of boxes at positions (N, 4): the geometric means of their sides."""
    size: Array = np.exp((position[:, 2] + position[:, 3]) / 2)
    return size
