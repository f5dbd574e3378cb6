import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.vision.decoding import (
    MAX_CANDIDATES,
    Detections,
    Level,
    Priors,
    build_priors,
    decode,
    decode_pose,
    detect,
    sigmoid,
)


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
    pose = decode_pose(np.array([[0, 1, 0, 0, 0.5, -1, math.log(3)]], np.float32), priors.centre, priors.scale)
    np.testing.assert_allclose(pose.quaternion, [[0, math.sqrt(0.5), 0, math.sqrt(0.5)]], rtol=1e-6)
    np.testing.assert_allclose(pose.origin, [[24, 32]])  # sqrt(16 * 4) = 8 pixels a unit
    np.testing.assert_allclose(pose.scale, [8 * 3 / 20], rtol=1e-6)


def test_untrained_outputs_stand_for_a_frontal_head() -> None:
    priors = Priors(np.array([[20, 40]], np.float32), np.array([[20, 20]], np.float32))
    pose = decode_pose(np.zeros((1, 7), np.float32), priors.centre, priors.scale)
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
