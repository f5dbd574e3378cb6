"""Steps on the sphere of rotations: the vector along an axis, as long as the angle, and back."""

from typing import Final

import numpy as np

from service.vision.rotation import Array

SMALL: Final = 1e-12  # of half an angle in radians: below, sine and angle are equal


def rotation_vector(quaternion: Array) -> Array:
    """(..., 3) radians, at most pi long, of unit quaternions (..., 4); q and -q are one rotation."""
    shorter = np.where(quaternion[..., 3:] < 0, -quaternion, quaternion)
    axis, w = shorter[..., :3], shorter[..., 3:]
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    half_angle = np.arctan2(sine, w)
    vector: Array = 2 * axis * np.where(sine > SMALL, half_angle / np.maximum(sine, SMALL), 1)
    return vector


def rotation_of(vector: Array) -> Array:
    """Unit quaternions (..., 4), w >= 0 for vectors (..., 3) of at most pi radians."""
    half = np.linalg.norm(vector, axis=-1, keepdims=True) / 2
    return np.concatenate([vector / 2 * np.sinc(half / np.pi), np.cos(half)], axis=-1)


def inverse(quaternion: Array) -> Array:
    """Of unit quaternions (..., 4)."""
    return quaternion * np.array([-1, -1, -1, 1], quaternion.dtype)
