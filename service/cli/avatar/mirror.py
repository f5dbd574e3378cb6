"""A face as its mirror shows it: left and right changed places, in coefficients, gaze and the turn of the head."""

from typing import Final

import numpy as np

from service.vision.arkit import ARKIT_NAMES
from service.vision.arrays import Array
from service.vision.mirroring import GAZE_PARTNERS, mirror_partners

# (52,) where each coefficient's counterpart stands among ARKit's names.
COUNTERPARTS: Final = mirror_partners(ARKIT_NAMES)


def mirror_blendshapes(blendshapes: Array) -> Array:
    """(..., 52) weights in the order of ARKIT_NAMES, left for right."""
    return blendshapes[..., COUNTERPARTS]


def mirror_gaze(gaze: Array) -> Array:
    """(..., 8) looks in the order of GAZE_NAMES, left for right: an eye that looks toward the nose still does."""
    return gaze[..., GAZE_PARTNERS]


def mirror_quaternion(quaternion: Array) -> Array:
    """(..., 4) the rotation M R M of R, M = diag(-1, 1, 1) being the mirror in the plane of y and z.

    The axis of a rotation is a pseudovector: under a mirror it turns over where a vector stays, so x stays and y and z
    change sign.
    """
    return quaternion * np.array([1, -1, -1, 1], quaternion.dtype)
