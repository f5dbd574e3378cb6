"""How neck and head share the head's rotation, for characters that have both."""

from typing import Final

from service.vision.arrays import Array
from service.vision.rotation import (
    inverse,
    multiply,
    quaternion_to_rotation_vector,
    rotation_vector_to_quaternion,
)

NECK_SHARE: Final = 0.4  # as on Studio's stage


def shared(quaternion: Array) -> tuple[Array, Array]:
    """Rotations (..., 4) of the neck, and of the head relative to it: one after the other they are the whole one."""
    neck = rotation_vector_to_quaternion(NECK_SHARE * quaternion_to_rotation_vector(quaternion))
    return neck, multiply(inverse(neck), quaternion)
