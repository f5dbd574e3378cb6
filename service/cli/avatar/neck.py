"""How a character's neck and head share a turn."""

from typing import Final

import numpy as np

from service.vision.arrays import Array
from service.vision.rotation import inverse, multiply, quaternion_to_rotation_vector, rotation_vector_to_quaternion

NECK_SHARE: Final = 0.4  # of the head's rotation, as on Studio's stage


def neck_and_head(quaternion: Array) -> tuple[Array, Array]:
    """The rotations (..., 4) [x, y, z, w] float64 of the neck, and of the head relative to it, about the same axis.

    quaternion: (..., 4) the whole rotation, in whose frame both are.
    """
    whole = quaternion.astype(np.float64)
    neck = rotation_vector_to_quaternion(NECK_SHARE * quaternion_to_rotation_vector(whole))
    return neck, multiply(inverse(neck), whole)
