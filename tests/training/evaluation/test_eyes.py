"""Eye measures against cases worked out by hand."""

import numpy as np
import pytest

from training.evaluation.eyes import eye_metrics, lid_metrics, lid_opening

NAMES = ("eyeBlink_L", "jawOpen", "eyeBlink_R", "eyeWide_L")


def test_closed_eyes_are_counted_one_by_one() -> None:
    reference = np.array([[0.8, 0.0, 0.1, 0.0], [0.4, 0.5, 0.5, 0.2], [0.0, 0.0, 0.0, 0.0]])
    predicted = np.array([[0.5, 0.9, 0.1, 0.0], [0.0, 0.5, 0.6, 0.0], [0.0, 0.0, 0.3, 0.0]])
    result = eye_metrics(predicted, reference, NAMES)
    # Closed are the first face's left and the second's right eye: 0.4 itself is not over the threshold.
    assert (result.faces, result.closed) == (3, 2)
    assert result.blink == pytest.approx((0.3 + 0.1) / 2)
    # Over nine values of three eye coefficients; what the jaw does plays no part.
    assert result.eyes == pytest.approx((0.3 + 0.4 + 0.1 + 0.2 + 0.3) / 9)


def test_without_closed_eyes_there_is_no_figure_for_them() -> None:
    result = eye_metrics(np.full((2, 4), 0.2), np.full((2, 4), 0.1), NAMES)
    assert result.closed == 0
    assert np.isnan(result.blink)
    assert result.eyes == pytest.approx(0.1)


def face(opening: float) -> np.ndarray:
    """68 points of a face 40 by 90 pixels, sqrt(w h) being 60, with eyes open by so many pixels."""
    points = np.full((68, 2), 50.0)
    points[0], points[1] = (10, 20), (50, 110)
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        points[upper], points[lower] = (30, 50), (30, 50 + opening)
    return points


def test_opening_of_the_lids() -> None:
    np.testing.assert_allclose(lid_opening(face(7)[None]), [[7, 7, 7, 7]])
    np.testing.assert_allclose(lid_opening(face(7)[None, :, ::-1]), [[7, 7, 7, 7]])  # the head lies on its side


def test_lids_of_three_faces_of_which_one_is_missed() -> None:
    annotated = np.stack([face(6), face(6), face(6)])
    predicted = np.stack([face(9), face(4.8), np.full((68, 2), np.nan)])
    result = lid_metrics(predicted, annotated)
    assert result.faces == 2
    assert result.error == pytest.approx(100 * (3 + 1.2) / 2 / 60)
    assert result.bias == pytest.approx(100 * (3 - 1.2) / 2 / 60)
    assert np.isnan(lid_metrics(predicted[2:], annotated[2:]).error)
