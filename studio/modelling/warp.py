"""Bends the scan's space into a being's proportions: soft bulges, and eyes that keep their lids.

A warp is a function of points of the scan's space, so that skin, teeth, brows and eyeballs all follow it. Everything is
symmetric about x = 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from training.render.anatomy import smoothstep

DIFFERENCE = 1e-3  # cm, for derivatives
LIDS = 1.25  # radii of an eyeball within which its lids are, which follow it whole


@dataclass(frozen=True)
class Bulge:
    """Scales space about a point and moves it, fully at the point and not at all from `reach` on. In cm.

    at: (3,); what is on one side happens on the other, too. reach: in each direction, one number or three. scale: in
    each direction, one number or three. move: (3,).
    """

    at: Sequence[float]
    reach: float | Sequence[float]
    scale: float | Sequence[float] = 1.0
    move: Sequence[float] = (0.0, 0.0, 0.0)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(V, 3) by which points (V, 3) move."""
        total = np.zeros_like(points)
        for side in (1.0, -1.0) if self.at[0] else (1.0,):
            sign = np.array([side, 1, 1])
            away = points - self.at * sign
            inside = ((away / self.reach) ** 2).sum(1, keepdims=True)
            total += np.clip(1 - inside, 0, 1) ** 2 * ((np.asarray(self.scale) - 1) * away + self.move * sign)
        return total


@dataclass(frozen=True)
class EyePlacement:
    """What happens to an eye, its lids included. scale: of its size. move: (3,) cm, of the left one. tilt: degrees by
    which the outer corner rises. reach: radii of the eyeball from which on the face stays as it is."""

    scale: float = 1.0
    move: Sequence[float] = (0.0, 0.0, 0.0)
    tilt: float = 0.0
    reach: float = 2.6


@dataclass(frozen=True)
class Warp:
    """All that bends a head. centres: (2, 3), radius: of the scan's eyeballs, in cm."""

    centres: np.ndarray
    radius: float
    bulges: Sequence[Bulge] = ()
    eyes: EyePlacement = field(default_factory=EyePlacement)

    def bulged(self, points: np.ndarray) -> np.ndarray:
        """Where points (V, 3) are by the bulges alone."""
        return np.asarray(points + sum((bulge(points) for bulge in self.bulges), np.zeros_like(points)))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Where points (V, 3) go."""
        points = points.astype(np.float64)
        warped = self.bulged(points)
        for centre, turn, moved in zip(self.centres, self._turns(), self.eye_centres(), strict=True):
            away = points - centre
            distance = np.linalg.norm(away, axis=1, keepdims=True) / self.radius
            held = 1 - smoothstep(distance, LIDS, self.eyes.reach)
            warped += held * (moved + self.eyes.scale * away @ turn.T - warped)
        return warped

    def eye_centres(self) -> np.ndarray:
        """(2, 3) where the eyeballs' centres go."""
        return self.bulged(self.centres) + self.eyes.move * np.array([[1.0, 1, 1], [-1, 1, 1]])

    def jacobian(self, points: np.ndarray) -> np.ndarray:
        """(V, 3, 3) derivatives at points (V, 3), by columns."""
        steps = DIFFERENCE * np.eye(3)
        columns = [(self(points + step) - self(points - step)) / (2 * DIFFERENCE) for step in steps]
        return np.stack(columns, axis=2)

    def _turns(self) -> tuple[np.ndarray, np.ndarray]:
        c, s = np.cos(np.radians(self.eyes.tilt)), np.sin(np.radians(self.eyes.tilt))
        left = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        return left, left.T
