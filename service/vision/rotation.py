"""Rotations of the head as unit quaternions, matrices, rotation vectors, and yaw, pitch and roll.

Camera frame, right-handed: x to the image's right, y up, z toward the viewer. Quaternions are [x, y, z, w] with
w >= 0 and rotate head coordinates into the camera frame. Angles are in degrees and compose as
R = Rz(roll) Ry(yaw) Rx(pitch): yaw > 0 turns the face toward the image's right, pitch > 0 looks down, roll > 0 is
counter-clockwise as seen.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from service.vision.arrays import Array

IDENTITY: Final = np.array([0, 0, 0, 1], np.float32)  # the quaternion of no rotation
MIN_NORM: Final = 1e-8  # a shorter quaternion has no direction left and stands for no rotation
MIN_SINE: Final = 1e-30  # of half an angle in radians; a smaller one stands for no rotation

# Products of the units that components stand for, i j = k and so on: the product of row a and column b is these x, y, z
# and w. With it, a product of quaternions is one product of matrices, which takes NumPy less time than its 16 terms.
UNIT_PRODUCTS: Final = np.array(
    [
        # b is   x               y              z             w
        [[0, 0, 0, -1], [0, 0, 1, 0], [0, -1, 0, 0], [1, 0, 0, 0]],  # a is x
        [[0, 0, -1, 0], [0, 0, 0, -1], [1, 0, 0, 0], [0, 1, 0, 0]],  # y
        [[0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0]],  # z
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],  # w
    ],
    np.float32,
)
_PRODUCT: Final = UNIT_PRODUCTS.reshape(16, 4)
# Weights of the products of a quaternion's components in the nine entries of its matrix, whose column k is q e_k q^-1.
_MATRIX: Final = np.einsum(
    "ikm,j,mjc->ijck", UNIT_PRODUCTS[:, :3], np.array([-1, -1, -1, 1], np.float32), UNIT_PRODUCTS[..., :3]
).reshape(16, 9)


def normalize(quaternion: Array) -> Array:
    """Unit quaternions with w >= 0. quaternion: (..., 4), any length; a zero one becomes the identity."""
    length = np.sqrt(np.vecdot(quaternion, quaternion))
    unit: Array = quaternion / np.copysign(np.maximum(length, MIN_NORM), quaternion[..., 3])[..., None]
    np.copyto(unit, IDENTITY, where=(length < MIN_NORM)[..., None])
    return unit


def align_sign(other: Array, quaternion: Array) -> Array:
    """Quaternions (..., 4) or their negatives, which are the same rotations, whichever are nearer to other (..., 4).

    Call this before you take a mean: w >= 0 separates neighbours near a rotation by 180 degrees.
    """
    nearest: Array = quaternion * np.copysign(1, np.vecdot(quaternion, other))[..., None]
    return nearest


def inverse(quaternion: Array) -> Array:
    """Inverse rotations (..., 4) of unit quaternions (..., 4): their conjugates."""
    return quaternion * np.array([-1, -1, -1, 1], quaternion.dtype)


def multiply(a: Array, b: Array) -> Array:
    """Hamilton product (..., 4): the rotation b followed by the rotation a."""
    product: Array = _products(a, b) @ _PRODUCT
    return product


def _products(a: Array, b: Array) -> Array:
    """The products (..., 16) of each component of quaternions a (..., 4) with each of b (..., 4)."""
    products: Array = a[..., :, None] * b[..., None, :]
    return products.reshape(*products.shape[:-2], 16)


def quaternion_to_matrix(quaternion: Array) -> Array:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    entries: Array = _products(quaternion, quaternion) @ _MATRIX
    return entries.reshape(*quaternion.shape[:-1], 3, 3)


def matrix_to_quaternion(matrix: Array) -> Array:
    """Unit quaternions (..., 4), w >= 0, of rotation matrices (..., 3, 3).

    The four rows below are 4 q_i q for each component q_i; the longest is the one least hurt by rounding
    (Shepperd, "Quaternion from Rotation Matrix", 1978).
    """
    m = np.moveaxis(matrix, (-2, -1), (0, 1))
    xy, xz, yz = m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1]
    wx, wy, wz = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    rows = [
        [1 + m[0, 0] - m[1, 1] - m[2, 2], xy, xz, wx],
        [xy, 1 - m[0, 0] + m[1, 1] - m[2, 2], yz, wy],
        [xz, yz, 1 - m[0, 0] - m[1, 1] + m[2, 2], wz],
        [wx, wy, wz, 1 + m[0, 0] + m[1, 1] + m[2, 2]],
    ]
    candidates = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)  # (..., 4 candidates, 4)
    longest = np.argmax(np.linalg.norm(candidates, axis=-1), axis=-1)[..., None, None]
    return normalize(np.take_along_axis(candidates, longest, axis=-2)[..., 0, :])


def euler_to_quaternion(yaw: ArrayLike, pitch: ArrayLike, roll: ArrayLike) -> Array:
    """Unit quaternions (..., 4) of yaw, pitch and roll in degrees, each of shape (...)."""
    halves = [np.radians(np.asarray(angle, np.float64)) / 2 for angle in (yaw, pitch, roll)]
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(half), np.sin(half)) for half in halves)
    # The product of the three rotations, each of which has but one axis.
    product = [
        cr * cy * sp - sr * sy * cp,
        cr * sy * cp + sr * cy * sp,
        sr * cy * cp - cr * sy * sp,
        cr * cy * cp + sr * sy * sp,
    ]
    return normalize(np.stack(product, axis=-1))


def roll_to_quaternion(roll: ArrayLike) -> Array:
    """Unit quaternions (..., 4) of rotations about the viewing axis by roll (...), degrees; w >= 0 up to 180."""
    half = np.radians(np.asarray(roll, np.float64)) / 2
    quaternion = np.zeros((*half.shape, 4))
    quaternion[..., 2], quaternion[..., 3] = np.sin(half), np.cos(half)
    return quaternion


def quaternion_to_euler(quaternion: Array) -> tuple[Array, Array, Array]:
    """Yaw, pitch and roll in degrees, each (...), of unit quaternions (..., 4); yaw within [-90, 90]."""
    matrix = quaternion_to_matrix(quaternion)
    radians = np.empty((3, *matrix.shape[:-2]), matrix.dtype)
    radians[0] = np.arcsin(np.minimum(np.maximum(-matrix[..., 2, 0], -1), 1))
    radians[1] = np.arctan2(matrix[..., 2, 1], matrix[..., 2, 2])
    radians[2] = np.arctan2(matrix[..., 1, 0], matrix[..., 0, 0])
    yaw, pitch, roll = np.degrees(radians)
    return yaw, pitch, roll


def sine_of_yaw(quaternion: Array) -> Array:
    """The sine (...) of the yaw of unit quaternions (..., 4)."""
    x, y, z, w = quaternion[..., 0], quaternion[..., 1], quaternion[..., 2], quaternion[..., 3]
    sine: Array = -2 * (x * z - y * w)
    return sine


def quaternion_to_rotation_vector(quaternion: Array) -> Array:
    """Rotation vectors (..., 3) of unit quaternions (..., 4): along the axis, as long as the angle, 0 to pi radians."""
    shorter = quaternion * np.copysign(1, quaternion[..., 3:])  # q and -q are one rotation
    axis, w = shorter[..., :3], shorter[..., 3:]
    sine = np.sqrt(np.vecdot(axis, axis))[..., None]
    vector: Array = axis * (2 * np.arctan2(sine, w) / np.maximum(sine, MIN_SINE))
    return vector


def rotation_vector_to_quaternion(vector: Array) -> Array:
    """Unit quaternions (..., 4), w >= 0, of rotation vectors (..., 3) of at most pi radians."""
    angle = np.sqrt(np.vecdot(vector, vector))[..., None]
    half = angle / 2
    return np.concatenate([vector * (np.sin(half) / np.maximum(angle, MIN_SINE)), np.cos(half)], axis=-1)


def twist_angle(quaternion: Array) -> Array:
    """Twist (...) of unit quaternions (..., 4) about the viewing axis, in degrees, counter-clockwise as seen.

    It is the rotation within the picture's plane that is nearest to the whole one; what remains is a rotation about an
    axis within that plane (swing-twist decomposition). Roll is undefined at a yaw of 90 degrees; the twist changes
    little with the rotation there, too, unless the head is seen from behind.
    """
    angle: Array = np.degrees(2 * np.arctan2(quaternion[..., 2], quaternion[..., 3]))
    return angle
