import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inference.models import Models
from service.vision.decoding import Candidates, Pose
from service.vision.face_model import project
from service.vision.faces import Faces, focal_length, to_image_space, translation
from service.vision.letterbox import Letterbox
from service.vision.rotation import euler_to_quaternion


def candidates(origin: tuple[float, float], scale: float, box: tuple[float, ...]) -> Candidates:
    quaternion = euler_to_quaternion([20], [10], [-30]).astype(np.float32)
    pose = Pose(quaternion, np.array([origin], np.float32), np.array([scale], np.float32))
    coefficients = np.zeros((1, 50), np.float32), np.full((1, 46), 0.5, np.float32)
    return Candidates(np.array([0.9], np.float32), np.array([box], np.float32), pose, *coefficients)


def test_placed_by_hand() -> None:
    """A 1280 x 720 picture at 0.225 of its size, 63 pixels below the square's top."""
    face = to_image_space(candidates((144, 144), 0.9, (0, 63, 45, 108)), Letterbox.fit(1280, 720, 288), 63)[0]
    np.testing.assert_allclose(face.box, [0, 0, 200, 200], atol=1e-3)
    assert face.scale == pytest.approx(4)
    np.testing.assert_allclose(face.translation[:2], [0, 0], atol=1e-4)
    # tan(31.5 degrees) = 0.6128, so that 360 pixels above the middle are seen with f = 587.5 pixels
    assert face.translation[2] == pytest.approx(-587.47 / 4, rel=1e-4)


def test_focal_length_of_a_right_angle() -> None:
    assert focal_length(200, 90) == pytest.approx(100)


def test_translation_points_right_and_up() -> None:
    centimetres = translation(np.array([[740, 160]], np.float32), np.array([4], np.float32), 1280, 720, 63)
    np.testing.assert_allclose(centimetres[0, :2], [25, 50])


@given(st.floats(0, 288), st.floats(0, 288), st.floats(0.1, 10), st.integers(1, 4000), st.integers(1, 4000))
def test_head_origin_projects_to_where_the_network_saw_it(
    x: float, y: float, scale: float, width: int, height: int
) -> None:
    letterbox = Letterbox.fit(width, height, 288)
    faces = to_image_space(candidates((x, y), scale, (0, 0, 1, 1)), letterbox, 63)
    origin = np.zeros((1, 1, 3), np.float32)
    seen = project(origin, faces.quaternion, faces.translation, faces.scale, width, height)[0, 0]
    np.testing.assert_allclose(letterbox.to_square(seen), [x, y], atol=0.02)


def test_landmarks_are_the_projected_shape(models: Models) -> None:
    faces = to_image_space(candidates((100, 90), 2, (0, 0, 1, 1)), Letterbox.fit(288, 288, 288), 63)
    points = faces.landmarks(models.face_model, 288, 288)
    assert points.shape == (1, 68, 2)
    linear = models.face_model.landmarks
    shape = linear.mean[30] + 0.5 * linear.expression[:, 30].sum(axis=0)  # the nose's tip, cm
    yaw, pitch, roll = np.radians([20, 10, -30])
    rx = np.array([[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]])
    ry = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    rz = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    turned = rz @ ry @ rx @ shape
    np.testing.assert_allclose(points[0, 30], [100 + 2 * turned[0], 90 - 2 * turned[1]], atol=1e-3)


def test_faces_are_a_sequence() -> None:
    faces = to_image_space(candidates((1, 1), 1, (0, 0, 1, 1)), Letterbox.fit(9, 9, 288), 63)
    assert len(faces) == len(list(faces)) == 1
    assert faces[0].score == pytest.approx(0.9)
    assert list(Faces.none()) == []
