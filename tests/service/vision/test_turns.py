"""Turned inputs: what is found in them lies where it is in the input as it was."""

import numpy as np
import pytest

from service.vision.decoding import Candidates, Detections, Pose
from service.vision.face_model import project
from service.vision.rotation import euler_to_quaternion
from service.vision.turns import next_turn, turn_boxes_back, turn_poses_back, turn_square
from service.vision.upside_down import UpsideDown

SIDE = 96
TURNS = pytest.mark.parametrize("turn", [0, 1, 2, 3])


def candidates(score: list[float], roll: list[float]) -> Candidates:
    count = len(score)
    zero = np.zeros(count)
    pose = Pose(
        euler_to_quaternion(zero + 20, zero - 10, np.array(roll)).astype(np.float32),
        np.tile(np.array([30, 60], np.float32), (count, 1)),
        np.ones(count, np.float32),
    )
    boxes, identity = np.zeros((count, 4), np.float32), np.zeros((count, 50), np.float32)
    return Candidates(np.array(score, np.float32), boxes, pose, identity, np.zeros((count, 46), np.float32))


@TURNS
def test_a_box_in_the_turned_input_is_where_its_pixels_were(turn: int) -> None:
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    square[10:20, 30:70] = 255
    y, x, _ = np.nonzero(turn_square(square, turn))
    box = np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]], np.float32)
    found = Detections(np.zeros(1, np.intp), np.ones(1, np.float32), box)
    np.testing.assert_array_equal(turn_boxes_back(found, SIDE, turn).box, [[30, 10, 70, 20]])


def test_one_turn_is_a_quarter_clockwise() -> None:
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    square[0, 0] = 255  # top left goes to top right
    assert turn_square(square, 1)[0, SIDE - 1, 0] == 255


@TURNS
def test_a_head_in_the_turned_input_is_turned_back_with_its_points(turn: int) -> None:
    """What is projected with the pose that was turned back, turned again, is what the pose as found projects."""
    shape = np.random.default_rng(1).normal(size=(1, 68, 3))
    found = candidates([0.9], [35])
    back = turn_poses_back(found, SIDE, turn)

    def points(pose: Pose) -> np.ndarray:
        x, y = (pose.origin[0] - SIDE / 2) * [1, -1]  # the projection's frame: its origin in the middle, y up
        translation = np.array([[x, y, -100]]) / pose.scale
        return np.asarray(project(shape, pose.quaternion, translation, pose.scale, SIDE, SIDE))

    again = points(back.pose)
    for _ in range(turn):
        again = np.stack([SIDE - again[..., 1], again[..., 0]], axis=-1)
    np.testing.assert_allclose(again, points(found.pose), atol=1e-3)


@pytest.mark.parametrize(
    ("score", "roll", "before", "after"),
    [
        ([0.9, 0.8], [5.0, -30.0], 0, 0),
        ([0.9, 0.8], [95.0, 80.0], 0, 1),  # rolled anticlockwise: a clockwise turn makes them upright
        ([0.9, 0.8], [95.0, 80.0], 1, 1),
        ([0.9, 0.8], [-95.0, -80.0], 0, 3),
        ([0.9, 0.5, 0.3], [0.0, 90.0, 90.0], 0, 0),  # one who lies among the upright: the better score
        ([0.6, 0.5], [5.0, -5.0], 0, 2),  # seen as upright, but badly
        ([0.6, 0.5], [175.0, -178.0], 2, 0),
        ([], [], 0, 2),
        ([], [], 1, 0),  # not 3: who is upright would never be looked for
        ([], [], 2, 0),
        ([], [], 3, 0),
        ([0.3], [90.0], 1, 3),
        ([0.19, 0.18], [90.0, 90.0], 0, 2),  # too faint to tell
    ],
)  # fmt: skip
def test_the_turn_that_is_tried_next(score: list[float], roll: list[float], before: int, after: int) -> None:
    assert next_turn([candidates(score, roll)], before) == after


@pytest.mark.parametrize(
    ("score", "roll", "before", "constant", "after"),
    [
        ([0.6], [5.0], 0, -2.0, 2),  # log odds of 0.6 x -2 = -1.2: a probability of 0.23
        ([0.6], [5.0], 0, -2.5, 0),  # 0.6 x -2.5 = -1.5: 0.18
        ([0.6], [175.0], 2, -2.5, 2),  # the same in an input that is upside down already
        ([0.6, 0.19], [5.0, 5.0], 0, -2.5, 0),  # what is too faint to vote is no evidence either
        ([0.8], [5.0], 0, 9.0, 0),  # a score of an upright face is enough
        ([0.6], [95.0], 0, -9.0, 1),  # nor does it keep faces on their side
        ([], [], 0, -9.0, 2),
    ],
)  # fmt: skip
def test_faces_that_look_upright_are_not_turned(
    score: list[float], roll: list[float], before: int, constant: float, after: int
) -> None:
    upside_down = UpsideDown(np.zeros(50, np.float32), score=0.0, constant=constant)
    assert next_turn([candidates(score, roll)], before, upside_down) == after
