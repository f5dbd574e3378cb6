"""Pose measures by yaw against cases worked out by hand."""

import numpy as np
import pytest

from service.vision.rotation import euler_to_quaternion
from training.evaluation.poses import angle_errors, pose_metrics, rotation_error


def face() -> np.ndarray:
    """68 points of a face 40 by 90 pixels: sqrt(w h) is 60."""
    points = np.full((68, 2), 50.0)
    points[0], points[1] = (10, 20), (50, 110)
    return points


def test_angles_are_compared_the_short_way_round() -> None:
    predicted = euler_to_quaternion(np.array([10.0, -20]), np.array([5.0, 0]), np.array([179.0, 0]))
    true = euler_to_quaternion(np.array([13.0, -20]), np.array([-1.0, 0]), np.array([-179.0, 4]))
    np.testing.assert_allclose(angle_errors(predicted, true), [[3, 6, 2], [0, 0, 4]], atol=1e-9)
    np.testing.assert_allclose(rotation_error(predicted, true)[1], 4, atol=1e-6)


def test_sign_of_a_quaternion_plays_no_part() -> None:
    q = euler_to_quaternion(np.array([30.0]), np.array([10.0]), np.array([-5.0]))
    np.testing.assert_allclose(rotation_error(-q, q), 0, atol=1e-5)


def test_bins_of_true_yaw() -> None:
    yaw = np.array([0.0, -30, 31, 60, -88, 89])
    true_pose = euler_to_quaternion(yaw, np.zeros(6), np.zeros(6))
    pose = euler_to_quaternion(yaw + np.array([2, 4, 0, -6, 8, 0]), np.zeros(6), np.zeros(6))
    true_points = np.stack([face()] * 6)
    points = true_points + np.array([0.6, 1.2, 3.0, 0, 6.0, np.nan])[:, None, None] * [1, 0]
    pose[5] = np.nan
    front, half, side = pose_metrics(points, true_points, pose, true_pose)
    assert [(m.faces, m.missed) for m in (front, half, side)] == [(2, 0), (2, 0), (2, 1)]
    assert [m.nme for m in (front, half, side)] == pytest.approx([1.5, 2.5, 10])
    assert [m.yaw for m in (front, half, side)] == pytest.approx([3, 3, 8])
    assert [m.rotation for m in (front, half, side)] == pytest.approx([3, 3, 8])
    assert [m.pitch for m in (front, half, side)] == pytest.approx([0, 0, 0], abs=1e-6)


def test_bin_without_a_face() -> None:
    nothing = pose_metrics(*[np.zeros((0, 68, 2))] * 2, *[np.zeros((0, 4))] * 2)
    assert [m.faces for m in nothing] == [0, 0, 0]
    assert np.isnan(nothing[0].yaw)
