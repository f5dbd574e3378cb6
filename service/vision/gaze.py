"""Where the eyes look: ARKit's eight eyeLook*, and the rotations of two eyeballs that they stand for.

Only a second look at a face sees them. A face without one has a row of NaN.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.vision.rotation import Array

# In the order of ARKit's names (service.vision.arkit) and of the Single Face Network's output: left before right.
GAZE_NAMES: Final = (
    "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
)  # fmt: skip
LOOKS: Final = len(GAZE_NAMES)

# Degrees that an eye turns by at weight 1, fitted to 8,518 frames of Live Link Face's own recordings, which hold both
# (correlation 0.999 for pitch, 0.96 for yaw). Sideways the two eyes differ there, by 38 to 40 and by 19 to 24.
DOWN_DEGREES: Final = 35.0
UP_DEGREES: Final = 27.1
OUT_DEGREES: Final = 39.0  # away from the nose
IN_DEGREES: Final = 21.5  # toward it


def no_gaze(count: int) -> Array:
    """(count, 8) float32 NaN: of faces that had no second look."""
    return np.full((count, LOOKS), np.nan, np.float32)


def has_gaze(gaze: Array) -> NDArray[np.bool_]:
    """(...) which rows of gaze (..., 8) were seen."""
    seen: NDArray[np.bool_] = ~np.isnan(gaze[..., 0])
    return seen


def eye_rotations(gaze: Array) -> Array:
    """(..., 2, 2) degrees that the left and the right eye are turned by against the head: yaw and pitch of each.

    gaze: (..., 8) in the order of GAZE_NAMES; a row of NaN gives NaN. Signs are the head pose's: yaw > 0 looks to the
    subject's left, pitch > 0 down.
    """
    down, inward, outward, up = (gaze[..., i : i + 2] for i in range(0, LOOKS, 2))
    away = OUT_DEGREES * outward - IN_DEGREES * inward
    yaw = away * np.array([1, -1], gaze.dtype)  # away from the nose is left for the left eye, right for the right one
    pitch = DOWN_DEGREES * down - UP_DEGREES * up
    return np.stack([yaw, pitch], axis=-1)
