"""How a character's neck and head share a turn."""

from typing import Final

import numpy as np

from service.vision.arrays import Array
from service.vision.rotation import inverse, multiply, quaternion_to_rotation_vector, rotation_vector_to_quaternion

NECK_SHARE: Final = 0.4  # of the head's rotation, as on Studio's stage
MIN_ANGLE: Final = 1e-9  # radians; below, a rotation has no axis


def neck_and_head(quaternion: Array) -> tuple[Array, Array]:
    """The rotations (..., 4) [x, y, z, w] float64 of the neck, and of the head relative to it, about the same axis.

    quaternion: (..., 4) the whole rotation, in whose frame both are. With w < 0 it turns by more than half a turn, so
    that the neck stays where it was where a head that is upside down turns on.
    """
    whole = quaternion.astype(np.float64)
    vector = quaternion_to_rotation_vector(whole)
    angle = np.linalg.norm(vector, axis=-1, keepdims=True)
    further = np.where(whole[..., 3:] < 0, 1 - 2 * np.pi / np.maximum(angle, MIN_ANGLE), 1)  # the other way round
    neck = rotation_vector_to_quaternion(NECK_SHARE * further * vector)
    return neck, multiply(inverse(neck), whole)
