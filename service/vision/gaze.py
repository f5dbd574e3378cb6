"""Gaze: ARKit's eight eyeLook* coefficients, and the rotations of the two eyeballs that they stand for.

Only the Single Face Network estimates them. A face that it has not refined has a row of NaN.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Array

# In the order of ARKit's names (service.vision.arkit) and of the Single Face Network's output: left before right.
GAZE_NAMES: Final = (
    "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
)  # fmt: skip
GAZE_COEFFICIENTS: Final = len(GAZE_NAMES)

# Degrees that an eye rotates by at weight 1, fitted to 8,518 frames of Live Link Face's own recordings, which hold both
# (correlation 0.999 for pitch, 0.96 for yaw). In yaw the two eyes differ there: 38 to 40 outward and 19 to 24 inward.
DOWN_DEGREES: Final = 35.0
UP_DEGREES: Final = 27.1
OUT_DEGREES: Final = 39.0  # away from the nose
IN_DEGREES: Final = 21.5  # toward it


def no_gaze(count: int) -> Array:
    """NaN (count, 8), float32: the gaze of faces that are not refined."""
    return np.full((count, GAZE_COEFFICIENTS), np.nan, np.float32)


def has_gaze(gaze: Array) -> NDArray[np.bool_]:
    """Whether each row of gaze (..., 8) holds a gaze, (...)."""
    present: NDArray[np.bool_] = ~np.isnan(gaze[..., 0])
    return present


def eye_rotations(gaze: Array) -> Array:
    """Yaw and pitch in degrees (..., 2, 2) of the left and the right eyeball relative to the head.

    gaze: (..., 8) in the order of GAZE_NAMES; a row of NaN gives NaN. Signs are the head pose's: yaw > 0 looks to the
    subject's left, pitch > 0 down.
    """
    down, inward, outward, up = (gaze[..., i : i + 2] for i in range(0, GAZE_COEFFICIENTS, 2))
    away = OUT_DEGREES * outward - IN_DEGREES * inward
    yaw = away * np.array([1, -1], gaze.dtype)  # away from the nose is left for the left eye, right for the right one
    pitch = DOWN_DEGREES * down - UP_DEGREES * up
    return np.stack([yaw, pitch], axis=-1)
