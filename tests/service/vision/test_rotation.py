"""Rotations against hand-computed turns and scipy's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from service.vision.rotation import (
    align_sign,
    euler_to_quaternion,
    inverse,
    matrix_to_quaternion,
    multiply,
    normalize,
    quaternion_to_euler,
    quaternion_to_matrix,
    quaternion_to_rotation_vector,
    roll_to_quaternion,
    rotation_vector_to_quaternion,
    sine_of_yaw,
    twist_angle,
)

NOSE, CROWN, LEFT_EAR = np.eye(3)[2], np.eye(3)[1], np.eye(3)[0]  # head frame: z forward, y up, x to the subject's left
angles = st.floats(-179, 179)
yaws = st.floats(-89, 89)


def test_roll_alone() -> None:
    degrees = np.array([-180.0, -90.0, 0.0, 35.0, 180.0])
    vectors = np.radians(degrees)[:, None] * [0, 0, 1]
    expected = Rotation.from_rotvec(vectors).as_quat(canonical=True)
    np.testing.assert_allclose(np.abs(roll_to_quaternion(degrees)), np.abs(expected), atol=1e-12)
    np.testing.assert_allclose(twist_angle(roll_to_quaternion(degrees)), degrees, atol=1e-9)


@given(yaws, angles, angles)
def test_sine_of_yaw(yaw: float, pitch: float, roll: float) -> None:
    turned = Rotation.from_euler("ZYX", [roll, yaw, pitch], degrees=True).as_quat(canonical=True)
    assert sine_of_yaw(turned) == pytest.approx(np.sin(np.radians(yaw)), abs=1e-12)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll", "point", "expected"),
    [
        (90, 0, 0, NOSE, [1, 0, 0]),  # turned to the image's right
        (0, 90, 0, NOSE, [0, -1, 0]),  # looking down
        (0, 0, 90, CROWN, [-1, 0, 0]),  # counter-clockwise as seen: the crown goes to the image's left
        (0, 0, 90, LEFT_EAR, [0, 1, 0]),
        (90, 0, 90, NOSE, [0, 1, 0]),  # roll is applied last
    ],
)
def test_named_turns(yaw: float, pitch: float, roll: float, point: np.ndarray, expected: list[float]) -> None:
    turned = quaternion_to_matrix(euler_to_quaternion(yaw, pitch, roll)) @ point
    np.testing.assert_allclose(turned, expected, atol=1e-12)


@given(yaws, angles, angles)
def test_angles_come_back(yaw: float, pitch: float, roll: float) -> None:
    back = quaternion_to_euler(euler_to_quaternion(yaw, pitch, roll))
    np.testing.assert_allclose([float(a) for a in back], [yaw, pitch, roll], atol=1e-5)


@given(yaws, angles, angles)
def test_the_matrix_is_the_product_of_three_turns(yaw: float, pitch: float, roll: float) -> None:
    a, b, c = np.radians([yaw, pitch, roll])
    ry = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    rx = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    np.testing.assert_allclose(quaternion_to_matrix(euler_to_quaternion(yaw, pitch, roll)), rz @ ry @ rx, atol=1e-12)


def random_quaternions(n: int, seed: int = 0) -> np.ndarray:
    return normalize(np.random.default_rng(seed).normal(size=(n, 4)))


def test_matrices_come_back() -> None:
    quaternions = random_quaternions(500)
    np.testing.assert_allclose(matrix_to_quaternion(quaternion_to_matrix(quaternions)), quaternions, atol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_half_turns_come_back(axis: int) -> None:
    """w is 0 there, where extraction by way of w would divide by it."""
    matrix = -np.eye(3)
    matrix[axis, axis] = 1
    np.testing.assert_allclose(quaternion_to_matrix(matrix_to_quaternion(matrix)), matrix, atol=1e-12)


def test_product_composes_rotations() -> None:
    a, b = random_quaternions(50, 1), random_quaternions(50, 2)
    composed = quaternion_to_matrix(multiply(a, b))
    np.testing.assert_allclose(composed, quaternion_to_matrix(a) @ quaternion_to_matrix(b), atol=1e-12)


def test_means_near_a_half_turn_are_taken_on_one_side() -> None:
    """Turns of 179 and 181 degrees: their mean is one of 180, not none."""
    a, b = normalize(np.array([[np.sin(h), 0, 0, np.cos(h)] for h in np.radians([89.5, 90.5])]))
    assert a @ b < 0
    np.testing.assert_allclose(np.abs(normalize(a + align_sign(a, b))), [1, 0, 0, 0], atol=1e-12)
    np.testing.assert_array_equal(align_sign(a, a), a)


def test_turn_in_plane_is_the_nearest_to_the_rotation() -> None:
    """By trial of all whole degrees: the largest cosine of half the angle between the two."""
    degrees = np.arange(-180, 180)
    turns = euler_to_quaternion(0 * degrees, 0 * degrees, degrees)
    for quaternion in random_quaternions(200, 3):
        nearest = degrees[np.argmax(np.abs(turns @ quaternion))]
        assert abs((twist_angle(quaternion) - nearest + 180) % 360 - 180) <= 0.5 + 1e-6


def test_turn_in_plane_of_a_turn_in_the_plane_is_its_roll() -> None:
    rolls = np.array([-170.0, -30, 0, 45, 179])
    np.testing.assert_allclose(twist_angle(euler_to_quaternion(0 * rolls, 0 * rolls, rolls)), rolls, atol=1e-9)


def test_normalize_gives_unit_length_and_a_positive_w() -> None:
    quaternions = np.array([[0, 0, 0, -2.0], [3, 0, 0, -4], [0, 0, 0, 0]])
    expected = np.array([[0, 0, 0, 1], [-0.6, 0, 0, 0.8], [0, 0, 0, 1]])
    np.testing.assert_allclose(normalize(quaternions), expected)


@given(angles, angles, angles)
def test_rotation_vectors_as_in_scipy(a: float, b: float, c: float) -> None:
    rotation = Rotation.from_euler("xyz", [a, b, c], degrees=True)
    vector = quaternion_to_rotation_vector(rotation.as_quat())
    np.testing.assert_allclose(rotation_vector_to_quaternion(vector), rotation.as_quat(canonical=True), atol=1e-7)
    np.testing.assert_allclose(Rotation.from_rotvec(vector).as_matrix(), rotation.as_matrix(), atol=1e-7)
    np.testing.assert_allclose(quaternion_to_rotation_vector(-rotation.as_quat()), vector, atol=1e-7)
    np.testing.assert_allclose(multiply(inverse(rotation.as_quat()), rotation.as_quat()), [0, 0, 0, 1], atol=1e-12)


def test_small_rotation_vectors_keep_their_digits() -> None:
    vector = np.array([[1e-9, -2e-9, 0], [0, 0, 0], [0, 3e-14, 0]])
    np.testing.assert_allclose(
        quaternion_to_rotation_vector(rotation_vector_to_quaternion(vector)), vector, rtol=1e-9, atol=0
    )
