import math

import numpy as np

from service.vision.decoding import Candidates, Pose
from service.vision.nms import Groups
from service.vision.rotation import euler_to_quaternion
from service.vision.voting import vote


def candidates_of(score: list[float], box: list[list[float]], yaw: list[float], scale: list[float]) -> Candidates:
    number, zero = len(score), np.zeros(len(score))
    return Candidates(
        np.array(score, np.float32),
        np.array(box, np.float32),
        Pose(euler_to_quaternion(np.array(yaw), zero, zero), np.array(box)[:, :2], np.array(scale, np.float32)),
        np.repeat(np.arange(number, dtype=np.float32)[:, None], 50, axis=1),
        np.repeat(np.linspace(0, 1, number, dtype=np.float32)[:, None], 46, axis=1),
    )


def test_a_group_is_the_mean_of_its_members_by_score() -> None:
    """0.8 and 0.4 weigh 2/3 and 1/3, for boxes 4/5 and 1/5. The third is in another group, the fourth below a quarter
    of 0.8."""
    candidates = candidates_of(
        [0.8, 0.4, 0.3, 0.19], [[0, 0, 9, 9], [3, 0, 12, 9], [50, 50, 60, 60], [90, 0, 99, 9]], [10, 40, 0, 90],
        [1, 8, 5, 1]
    )  # fmt: skip
    merged = vote(candidates, Groups(np.array([0, 2]), np.array([0, 0, 1, 0])))
    np.testing.assert_allclose(merged.score, [0.8, 0.3])
    np.testing.assert_allclose(merged.box, [[3 / 5, 0, 9 + 3 / 5, 9], [50, 50, 60, 60.0]], rtol=1e-6)
    np.testing.assert_allclose(merged.pose.origin, [[1, 0], [50, 50]], rtol=1e-6)
    np.testing.assert_allclose(merged.pose.scale, [2, 5], rtol=1e-6)  # 1^(2/3) 8^(1/3)
    np.testing.assert_allclose(merged.identity[:, 0], [1 / 3, 2], rtol=1e-6)
    np.testing.assert_allclose(merged.expression[:, 0], [1 / 9, 2 / 3], rtol=1e-6)
    # half-angles of 5 and 20 degrees, on the circle: atan2 of the weighted sums
    half = math.atan2(2 * math.sin(math.radians(5)) + math.sin(math.radians(20)),
                      2 * math.cos(math.radians(5)) + math.cos(math.radians(20)))  # fmt: skip
    np.testing.assert_allclose(merged.pose.quaternion[0], [0, math.sin(half), 0, math.cos(half)], atol=1e-6)


def test_rotations_on_both_sides_of_half_a_turn_do_not_cancel() -> None:
    candidates = candidates_of([0.5, 0.5], [[0, 0, 9, 9]] * 2, [179, -179], [1, 1])
    merged = vote(candidates, Groups(np.array([0]), np.array([0, 0])))
    np.testing.assert_allclose(np.abs(merged.pose.quaternion), [[0, 1, 0, 0]], atol=1e-6)


def test_no_groups_give_no_candidates() -> None:
    none = candidates_of([0.5], [[0, 0, 9, 9]], [0], [1])
    merged = vote(none, Groups(np.zeros(0, np.intp), np.array([-1])))
    assert (merged.score.shape, merged.box.shape, merged.expression.shape) == ((0,), (0, 4), (0, 46))
