from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.vision.crops import CROP_SIDE, Crop, turned_upright
from service.vision.faces import Faces
from service.vision.refinement import apply_refinement, blend_estimates
from service.vision.rotation import euler_to_quaternion, twist_angle
from tests.service.vision.faces import one_face

angles = st.floats(-170, 170)


@given(st.floats(-60, 60), st.floats(-60, 60), angles)
def test_pose_in_the_crop_is_turned_back_to_the_picture(yaw: float, pitch: float, roll: float) -> None:
    """A network that reads the crop without error gives the pose of the picture."""
    faces = one_face(yaw, pitch, roll)
    crop = Crop(np.array([340.0, 250.0]), 200, roll)
    # What such a network outputs: upright head, its origin and scale in pixels of the crop.
    origin = np.array([320 + 6 * 3, 240 + 6 * 2])
    in_crop = turned_upright(origin - crop.centre, crop.roll) * CROP_SIDE / crop.side + CROP_SIDE / 2
    upright = euler_to_quaternion(yaw, pitch, 0)
    scale = 6 * CROP_SIDE / crop.side
    raw_pose = np.concatenate([upright - [0, 0, 0, 1], (in_crop - 64) / 128, [np.log(scale * 20 / 128)]])
    raw = {
        "pose": raw_pose[None].astype(np.float32),
        "identity": np.ones((1, 50), np.float32),
        "expression": np.zeros((1, 46), np.float32),
        "gaze": np.zeros((1, 8), np.float32),
    }
    answer = apply_refinement(faces, [crop], raw, 640, 480, 63)
    np.testing.assert_allclose(answer.translation[0, :2], [3, -2], atol=1e-3)
    np.testing.assert_allclose(answer.scale, [6], rtol=1e-4)
    same = abs((answer.quaternion * faces.quaternion).sum())  # q and -q are one rotation
    assert same == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(answer.identity, 1)
    np.testing.assert_array_equal(answer.expression, 0.5)
    np.testing.assert_array_equal(answer.gaze, 0.5)
    np.testing.assert_array_equal(answer.box, faces.box)
    assert all(array.dtype == np.float32 for array in vars(answer).values())


def test_the_blend_turns_a_share_of_the_way_back() -> None:
    """The angle between the estimates is divided 15 to 85, whichever of their two signs the quaternions have."""
    coarse, refined = one_face(0, 0, 20), one_face(0, 0, 60)
    for sign in (1, -1):
        blended = blend_estimates(replace(coarse, quaternion=sign * coarse.quaternion), refined)
        assert float(twist_angle(blended.quaternion[0])) == pytest.approx(54, abs=0.5)
        assert np.linalg.norm(blended.quaternion) == pytest.approx(1)


def test_two_equal_estimates_blend_to_themselves() -> None:
    faces = replace(one_face(30, -10, 5), identity=np.full((1, 50), 0.7, np.float32))
    blended = blend_estimates(faces, faces)
    for name, array in vars(blended).items():
        np.testing.assert_allclose(array, getattr(faces, name), rtol=1e-6, err_msg=name)
        assert array.dtype == np.float32


def test_the_blend_keeps_place_scale_and_depth_of_one_camera() -> None:
    """Scale times depth is the focal length; and where both estimates project to one pixel, so does the blend."""
    coarse, refined = one_face(0, 0, 0), one_face(0, 0, 0)
    coarse = replace(coarse, scale=np.array([5], np.float32), translation=np.array([[24, -12, -108]], np.float32))
    refined = replace(refined, scale=np.array([6], np.float32), translation=np.array([[20, -10, -90]], np.float32))
    blended = blend_estimates(coarse, refined)
    np.testing.assert_allclose(blended.scale * blended.translation[0], [120, -60, -540], rtol=1e-6)
    assert 5 < blended.scale[0] < 6


def test_expression_and_gaze_are_the_refined_estimate_s_alone() -> None:
    coarse = replace(one_face(0, 0, 0), expression=np.ones((1, 46), np.float32), score=np.array([0.3], np.float32))
    refined = replace(one_face(0, 0, 0), gaze=np.full((1, 8), 0.25, np.float32))
    assert not blend_estimates(coarse, refined).expression.any()
    np.testing.assert_array_equal(blend_estimates(coarse, refined).gaze, 0.25)
    assert blend_estimates(coarse, refined).score == refined.score


def test_no_faces_blend_to_no_faces() -> None:
    assert len(blend_estimates(Faces.none(), Faces.none())) == 0
