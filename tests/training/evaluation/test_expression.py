"""Expression measures against cases worked out by hand and NumPy's own correlation."""

import numpy as np
import pytest

from training.evaluation.expression import correlation, expression_metrics

NAMES = ("follows", "mirrors", "dead", "still", "halved")


def faces() -> tuple[np.ndarray, np.ndarray]:
    """Predicted and reference (101, 5): the reference runs evenly from 0 to 1, but `still` stays at 0.1."""
    ramp = np.linspace(0, 1, 101)
    reference = np.stack([ramp, ramp, ramp, np.full(101, 0.1), ramp], axis=1)
    predicted = np.stack([ramp, 1 - ramp, np.full(101, 0.5), ramp, ramp * 0.4], axis=1)
    return predicted, reference


def test_metrics() -> None:
    result = expression_metrics(*faces(), NAMES)
    assert result.faces == 101
    np.testing.assert_array_equal(result.moves, [True, True, True, False, True])
    np.testing.assert_allclose(result.correlation, [1, -1, 0, np.nan, 1], atol=1e-12)
    assert result.mean_correlation == pytest.approx(0.25)
    # |x - 0.5| over an even 0..1 grid of 101 points averages 2 (0.01 + ... + 0.50) / 101.
    assert result.difference[2] == pytest.approx(2 * 0.01 * (50 * 51 / 2) / 101)
    assert result.difference[4] == pytest.approx(0.6 * 0.5)
    assert result.mean_difference == pytest.approx(result.difference.mean())


def test_range_in_use_shows_what_is_dead() -> None:
    result = expression_metrics(*faces(), NAMES)
    np.testing.assert_allclose(result.reference_range[0], [0.05, 0.95])
    np.testing.assert_allclose(result.predicted_range[4], [0.02, 0.38])
    np.testing.assert_allclose(result.range_ratio, [1, 1, 0, np.nan, 0.4], atol=1e-12)
    assert result.dead == ("dead", "halved")


def test_correlation_is_numpys() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50, 4))
    expected = [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(4)]
    np.testing.assert_allclose(correlation(a, b), expected)


def test_shapes_that_differ_and_no_faces_are_errors() -> None:
    predicted, reference = faces()
    with pytest.raises(ValueError, match="expected one or more faces with 5 coefficients"):
        expression_metrics(predicted[:5], reference, NAMES)
    with pytest.raises(ValueError, match="expected one or more faces"):
        expression_metrics(predicted[:0], reference[:0], NAMES)
