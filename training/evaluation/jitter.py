"""How much landmarks tremble on a video of a face that keeps still, without any smoothing.

A photo is seen again and again, each time shifted by less than a pixel or so, scaled by a hair and with fresh noise of
a sensor, as frames of a camera on a tripod differ; the known movement is undone before the points are compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Pixels
from training.evaluation.invariance import Movement

Floats = NDArray[np.floating[Any]]

SEED, PHOTOS, FRAMES = 192_837, 30, 20
MOST_SHIFT = 1.0  # pixels either way, in x and in y
MOST_SCALE = 0.01  # share by which a frame is larger or smaller
NOISE = 2.0  # grey levels, standard deviation, of each channel of each pixel
MARGIN = 8  # pixels of its own edge that a photo is continued by, so that moving it uncovers nothing grey


@dataclass(frozen=True)
class JitterMetrics:
    """Holds the jitter of landmarks. photos: seen in two frames or more. lost: frames, of all, without the face.
    jitter: standard deviation of a landmark over the frames (root of the variances of x and y together), mean over 68
    points and photos, in percent of sqrt(w h) of the annotated points' box; NaN for no photo. inner: the same over
    points 17 to 67."""

    photos: int
    lost: int
    jitter: float
    inner: float


def frames(photo: Pixels, rng: np.random.Generator, count: int = FRAMES) -> Iterator[tuple[Movement, Pixels]]:
    """Frames (H, W, 3) uint8 of a still photo (H, W, 3), and how each of them has moved."""
    height, width = photo.shape[:2]
    wide = np.pad(photo, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="edge")
    for _ in range(count):
        x, y = rng.uniform(-MOST_SHIFT, MOST_SHIFT, 2)
        scale = float(1 + rng.uniform(-MOST_SCALE, MOST_SCALE))
        # about the same centre, and by as many pixels, in the photo and in the one with a margin
        moved = Movement("", scale=scale, shift=(x / wide.shape[1], y / wide.shape[0])).picture(wide)
        noise = np.float32(NOISE) * rng.standard_normal(photo.shape, np.float32)
        frame = np.clip(np.rint(moved[MARGIN:-MARGIN, MARGIN:-MARGIN] + noise), 0, 255).astype(np.uint8)
        yield Movement("", scale=scale, shift=(x / width, y / height)), frame


def undone(movement: Movement, points: Floats, width: int, height: int) -> Floats:
    """Where points (..., 2) of a frame lie in the photo of width x height pixels."""
    back: Floats = (points - movement.points(np.zeros(2), width, height)) @ np.linalg.inv(movement.linear()).T
    return back


def standard_deviation(points: Floats) -> Floats:
    """(68,) pixels, over frames (F, 68, 2), F of 2 or more; unbiased for the variance, as F is small."""
    deviation: Floats = np.sqrt(points.var(axis=0, ddof=1).sum(axis=-1))
    return deviation
