"""Mirrors a face: swaps left and right in coefficients, gaze and rotation of the head."""

from typing import Final

import numpy as np

from service.vision.arkit import ARKIT_NAMES
from service.vision.arrays import Array
from service.vision.mirroring import GAZE_PARTNERS, mirror_partners

# (52,) index of each coefficient's counterpart among ARKIT_NAMES.
COUNTERPARTS: Final = mirror_partners(ARKIT_NAMES)


def mirror_blendshapes(blendshapes: Array) -> Array:
    """Swaps left and right in weights (..., 52) in the order of ARKIT_NAMES."""
    return blendshapes[..., COUNTERPARTS]


def mirror_gaze(gaze: Array) -> Array:
    """Swaps left and right in gazes (..., 8) in the order of GAZE_NAMES; In and Out keep their meaning."""
    return gaze[..., GAZE_PARTNERS]


def mirror_quaternion(quaternion: Array) -> Array:
    """Mirrors rotations R (..., 4) to M R M, where M = diag(-1, 1, 1) is the reflection in the plane of y and z.

    The axis of a rotation is a pseudovector: a reflection flips it where it keeps a vector, so x stays and y and z
    change sign.
    """
    return quaternion * np.array([1, -1, -1, 1], quaternion.dtype)
