"""Landmark measures against cases worked out by hand."""

import numpy as np
import pytest

from training.evaluation.landmarks import (
    area_under_curve,
    landmark_metrics,
    matched,
    nearest_face,
    normalised_mean_error,
    yaw_metrics,
)


def face(width: float = 40, height: float = 90, x: float = 10, y: float = 20) -> np.ndarray:
    """68 points whose box has this size and top left corner: sqrt(w h) is 60, the diagonal 98.49."""
    points = np.full((68, 2), [x + width / 2, y + height / 2])
    points[0], points[1] = (x, y), (x + width, y + height)
    return points


def moved_by(points: np.ndarray, x: float, y: float) -> np.ndarray:
    return np.asarray(points + np.array([x, y]))


def test_normalised_mean_error_is_in_percent_of_the_annotated_box() -> None:
    annotated = face()[None]
    np.testing.assert_allclose(normalised_mean_error(moved_by(annotated, 3, 0), annotated), 100 * 3 / 60)
    moved = annotated.copy()
    moved[0, 5] += [0, 6.8]  # one point of 68, on the jaw
    np.testing.assert_allclose(normalised_mean_error(moved, annotated), 100 * 0.1 / 60)
    np.testing.assert_allclose(normalised_mean_error(moved, annotated, slice(17, 68)), 0)


def test_box_of_the_prediction_plays_no_part() -> None:
    annotated = face()[None]
    predicted = annotated * 2
    expected = np.linalg.norm(annotated, axis=-1).mean() / 60 * 100
    np.testing.assert_allclose(normalised_mean_error(predicted, annotated), expected)


def test_area_under_the_cumulative_error_curve() -> None:
    # One of four faces at 0, one halfway to the end, one beyond it, one missed: (1 + 0.5 + 0 + 0) / 4.
    assert area_under_curve(np.array([0, 0.025, 0.06, np.nan])) == pytest.approx(0.375)
    # The same integral by sampling the curve.
    errors = np.random.default_rng(0).exponential(0.03, 200)
    steps = np.linspace(0, 0.05, 100_001)
    sampled = (np.sort(errors).searchsorted(steps, side="right") / len(errors)).mean()
    assert area_under_curve(errors) == pytest.approx(sampled, abs=1e-4)
    assert np.isnan(area_under_curve(np.zeros(0)))


def test_metrics_of_three_faces() -> None:
    annotated = np.stack([face(), face(), face()])
    predicted = np.stack([moved_by(face(), 3, 0), moved_by(face(), 0, -1.5), np.full((68, 2), np.nan)])
    result = landmark_metrics(predicted, annotated)
    assert (result.faces, result.missed, result.failed) == (3, 1, 1)
    assert result.nme == pytest.approx(100 * 2.25 / 60)
    assert result.nme_inner == pytest.approx(100 * 2.25 / 60)
    assert result.shift == pytest.approx((1.5, -0.75))
    diagonal = np.hypot(40, 90)
    assert result.auc == pytest.approx(((1 - 3 / diagonal / 0.05) + (1 - 1.5 / diagonal / 0.05)) / 3)


def test_nothing_found() -> None:
    result = landmark_metrics(np.full((2, 68, 2), np.nan), np.stack([face(), face()]))
    assert (result.faces, result.missed, result.failed, result.auc) == (2, 2, 2, 0)
    assert np.isnan(result.nme)
    assert np.isnan(result.shift).all()


def test_yaw_bins_include_their_upper_end_and_the_mean_is_of_the_bins() -> None:
    annotated = np.stack([face()] * 5)
    predicted = annotated + np.array([0.6, 1.2, 2.4, 6.0, 12.0])[:, None, None] * [1, 0]
    result = yaw_metrics(predicted, annotated, np.array([0, -30, 30.1, 61, -90]))
    assert result.nme == pytest.approx((1.5, 4, 15))
    assert result.found == (2, 1, 2)
    assert result.mean == pytest.approx((1.5 + 4 + 15) / 3)


def test_nearest_face_is_the_one_that_overlaps_most() -> None:
    faces = np.stack([face(x=200), face(x=15), face(x=30)])
    assert nearest_face(faces, face()) == 1
    assert nearest_face(faces[:1], face()) is None
    assert nearest_face(np.zeros((0, 68, 2)), face()) is None


def test_faces_are_matched_picture_by_picture() -> None:
    predicted, annotated = matched(
        [np.stack([face(x=300), face(x=11)]), np.zeros((0, 68, 2))], [face()[None], np.stack([face(), face(x=400)])]
    )
    np.testing.assert_array_equal(predicted[0], face(x=11))
    assert np.isnan(predicted[1:]).all()
    np.testing.assert_array_equal(annotated, np.stack([face(), face(), face(x=400)]))
