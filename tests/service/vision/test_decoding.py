import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.vision.decoding import (
    MAX_CANDIDATES,
    Candidates,
    Detections,
    Level,
    Pose,
    Priors,
    build_priors,
    decode,
    decode_pose,
    detect,
    sigmoid,
    vote,
)
from service.vision.nms import Groups
from service.vision.rotation import euler_to_quaternion


def test_priors_run_by_level_row_column_anchor() -> None:
    priors = build_priors([Level(8, ((16, 16),)), Level(16, ((32, 20), (64, 64)))], 32)
    assert priors.centre.shape == priors.size.shape == (16 + 4 * 2, 2)
    np.testing.assert_array_equal(priors.centre[:2], [[4, 4], [12, 4]])  # along the row first
    np.testing.assert_array_equal(priors.centre[4], [4, 12])
    np.testing.assert_array_equal(priors.centre[16:19], [[8, 8], [8, 8], [24, 8]])  # anchors of a cell together
    np.testing.assert_array_equal(priors.size[15:18], [[16, 16], [32, 20], [64, 64]])
    np.testing.assert_allclose(priors.scale[16], math.sqrt(640))


def test_the_papers_grid() -> None:
    priors = build_priors([Level(32, tuple((s, s) for s in (20.0, 40.0, 80.0, 140.0, 220.0)))], 288)
    assert len(priors.centre) == 9 * 9 * 5
    np.testing.assert_array_equal(priors.centre[-1], [272, 272])


def test_box_and_score_by_hand() -> None:
    priors = Priors(np.array([[20, 40], [60, 60]], np.float32), np.array([[16, 32], [10, 10]], np.float32))
    raw = np.array([[[0.5, -0.25, math.log(2), 0, 0], [0, 0, 0, 0, -3]]], np.float32)
    found = detect(raw, priors, 0.5)
    np.testing.assert_array_equal(found.index, [0])
    np.testing.assert_allclose(found.score, [0.5])
    # centre (20 + 8, 40 - 8), size (32, 32)
    np.testing.assert_allclose(found.box, [[12, 16, 44, 48]], rtol=1e-6)


def test_pose_by_hand() -> None:
    priors = Priors(np.array([[20, 40]], np.float32), np.array([[16, 4]], np.float32))
    pose = decode_pose(np.array([[0, 1, 0, 0, 0.5, -1, math.log(3)]], np.float32), priors)
    np.testing.assert_allclose(pose.quaternion, [[0, math.sqrt(0.5), 0, math.sqrt(0.5)]], rtol=1e-6)
    np.testing.assert_allclose(pose.origin, [[24, 32]])  # sqrt(16 * 4) = 8 pixels a unit
    np.testing.assert_allclose(pose.scale, [8 * 3 / 20], rtol=1e-6)


def test_untrained_outputs_stand_for_a_frontal_head() -> None:
    priors = Priors(np.array([[20, 40]], np.float32), np.array([[20, 20]], np.float32))
    pose = decode_pose(np.zeros((1, 7), np.float32), priors)
    np.testing.assert_array_equal(pose.quaternion, [[0, 0, 0, 1]])
    np.testing.assert_array_equal(pose.origin, [[20, 40]])
    np.testing.assert_array_equal(pose.scale, [1])


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99))
def test_detection_agrees_with_a_loop(seed: int, min_score: float) -> None:
    random = np.random.default_rng(seed)
    priors = build_priors([Level(16, ((16, 24), (40, 40)))], 64)
    raw = random.normal(0, 2, (1, len(priors.centre), 5)).astype(np.float32)
    found = detect(raw, priors, min_score)
    expected = []
    for (cx, cy), (pw, ph), (dx, dy, lw, lh, logit) in zip(priors.centre, priors.size, raw[0], strict=True):
        score = 1 / (1 + math.exp(-logit))
        if score >= min_score:
            x, y = cx + dx * pw, cy + dy * ph
            w, h = pw * math.exp(max(-4, min(lw, 4))), ph * math.exp(max(-4, min(lh, 4)))
            expected.append((score, x - w / 2, y - h / 2, x + w / 2, y + h / 2))
    expected.sort(key=lambda row: -row[0])
    assert len(found.index) == len(expected)
    if expected:
        np.testing.assert_allclose(np.column_stack([found.score, found.box]), expected, rtol=1e-3, atol=1e-3)


def test_coefficients_are_taken_from_the_kept_priors() -> None:
    priors = build_priors([Level(16, ((16, 16),))], 48)
    random = np.random.default_rng(0)
    raw = {name: random.normal(size=(1, 9, size)).astype(np.float32) for name, size in
           (("pose", 7), ("identity", 50), ("expression", 46))}  # fmt: skip
    kept = Detections(np.array([7, 2]), np.array([0.9, 0.8], np.float32), np.zeros((2, 4), np.float32))
    candidates = decode(raw, priors, kept)
    np.testing.assert_array_equal(candidates.identity, raw["identity"][0, [7, 2]])
    np.testing.assert_allclose(candidates.expression, 1 / (1 + np.exp(-raw["expression"][0, [7, 2]])), rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(candidates.pose.quaternion, axis=-1), 1, rtol=1e-5)
    assert (candidates.pose.quaternion[:, 3] >= 0).all()


def test_only_the_best_are_kept_when_everything_is_a_face() -> None:
    priors = build_priors([Level(8, ((16, 16),) * 2)], 288)
    raw = np.zeros((1, len(priors.centre), 5), np.float32)
    raw[0, :, 4] = np.random.default_rng(0).permutation(len(priors.centre))
    found = detect(raw, priors, 0.5)
    assert len(found.index) == MAX_CANDIDATES < len(priors.centre)
    np.testing.assert_array_equal(raw[0, found.index, 4], np.sort(raw[0, :, 4])[::-1][:MAX_CANDIDATES])


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_scores_that_are_no_numbers_are_no_faces(value: float) -> None:
    priors = build_priors([Level(32, ((16, 16),))], 32)
    raw = np.array([[[0, 0, 0, 0, value]]], np.float32)
    assert len(detect(raw, priors, 0.01).index) == 0


def test_runaway_sizes_stay_finite() -> None:
    priors = build_priors([Level(32, ((16, 16),))], 32)
    found = detect(np.array([[[0, 0, 1e30, -1e30, 50]]], np.float32), priors, 0.5)
    assert np.isfinite(found.box).all()


@pytest.mark.parametrize(("x", "y"), [(0, 0.5), (math.log(3), 0.75), (-200, 0), (200, 1)])
def test_sigmoid(x: float, y: float) -> None:
    np.testing.assert_allclose(sigmoid(np.array(x, np.float32)), y, atol=1e-7)


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
    """0.8 and 0.4 weigh 2/3 and 1/3, for boxes 4/5 and 1/5; the third is of another group, the fourth below a
    quarter of 0.8."""
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


def test_nothing_merges_to_nothing() -> None:
    none = candidates_of([0.5], [[0, 0, 9, 9]], [0], [1])
    merged = vote(none, Groups(np.zeros(0, np.intp), np.array([-1])))
    assert (merged.score.shape, merged.box.shape, merged.expression.shape) == ((0,), (0, 4), (0, 46))
