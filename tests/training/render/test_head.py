import numpy as np
import pytest

from service.vision.face_model import project
from service.vision.rotation import euler_to_quaternion
from training.render.head import Pose, vertex_normals

NOSE = np.array([[0, 0, 10.0]], np.float32)


def test_a_positive_yaw_moves_the_nose_to_the_images_right() -> None:
    pose = Pose(euler_to_quaternion(30, 0, 0), np.array([100.0, 80]), 4.0)
    np.testing.assert_allclose(pose.pixels(pose.turn(NOSE))[0], [100 + 40 * 0.5, 80, 40 * np.cos(np.pi / 6)], atol=1e-4)


def test_a_positive_pitch_moves_the_nose_down() -> None:
    pose = Pose(euler_to_quaternion(0, 30, 0), np.array([100.0, 80]), 4.0)
    np.testing.assert_allclose(pose.pixels(pose.turn(NOSE))[0, :2], [100, 80 + 40 * 0.5], atol=1e-4)


def test_agrees_with_the_services_weak_perspective() -> None:
    rng = np.random.default_rng(0)
    shape = rng.normal(0, 8, (20, 3)).astype(np.float32)
    pose = Pose(euler_to_quaternion(-40, 12, 25), np.array([90.0, 210]), 3.5)
    expected = project(shape, pose.quaternion, pose.translation(320, 240), np.array(pose.scale), 320, 240)
    np.testing.assert_allclose(pose.pixels(pose.turn(shape))[:, :2], expected, atol=1e-3)


def test_normals_of_an_octahedron_point_outward() -> None:
    corners = np.concatenate([np.eye(3), -np.eye(3)])
    sides = [(x, y, z) for x in (0, 3) for y in (1, 4) for z in (2, 5)]
    triangles = np.array(
        [s if np.linalg.det(corners[list(s)]) > 0 else (s[0], s[2], s[1]) for s in sides]
    )  # counter-clockwise seen from outside: a positive volume with the centre
    np.testing.assert_allclose(vertex_normals(corners, triangles), corners, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 7.5])
def test_translation_is_the_origins_offset_from_the_centre(scale: float) -> None:
    pose = Pose(np.array([0.0, 0, 0, 1]), np.array([50.0 + 3 * scale, 40 - 2 * scale]), scale)
    np.testing.assert_allclose(pose.translation(100, 80), [3, 2, 0], atol=1e-5)
