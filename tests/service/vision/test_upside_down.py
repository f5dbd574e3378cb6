"""The odds that a picture's faces are upside down, from weights that can be followed by hand."""

import numpy as np
import pytest

from service.vision.upside_down import UpsideDown

WEIGHTS = UpsideDown(np.array([1, -1] + 48 * [0], np.float32), score=-4.0, constant=3.0)


def identities(*first_two: tuple[float, float]) -> np.ndarray:
    """Identities (K, 50) that are 0 but for their first two modes."""
    return np.array([[*pair] + 48 * [7.0] for pair in first_two], np.float32)


def test_the_evidence_of_one_face_counts_by_its_score() -> None:
    """0.5 x (2 - 1 - 4 x 0.5 + 3)"""
    assert WEIGHTS.log_odds(np.array([0.5], np.float32), identities((2, 1))) == pytest.approx(1)


def test_a_doubtful_face_counts_less() -> None:
    """0.8 says 0 - 3.2 + 3 and 0.2 says 5 - 0.8 + 3: (0.64 x -0.2 + 0.04 x 7.2) / sqrt(0.68)"""
    log_odds = WEIGHTS.log_odds(np.array([0.8, 0.2], np.float32), identities((0, 0), (5, 0)))
    assert log_odds == pytest.approx(0.16 / 0.68**0.5)


def test_four_times_as_many_candidates_that_say_the_same_count_twice() -> None:
    score, identity = np.array([0.6, 0.3], np.float32), identities((1, 2), (-1, 0))
    once, four_times = WEIGHTS.log_odds(score, identity), WEIGHTS.log_odds(np.tile(score, 4), np.tile(identity, (4, 1)))
    assert four_times == pytest.approx(2 * once)
