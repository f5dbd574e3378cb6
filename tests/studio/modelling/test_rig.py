"""The bones: who moves what."""

import numpy as np

from studio.modelling.character import quantized_weights
from studio.modelling.rig import skin_weights


def test_shoulders_stay_and_the_face_goes_with_the_head() -> None:
    shoulder, chin, crown, ear = [12.0, -15, -2], [0, -8.0, 10], [0, 14.5, 0], [8.0, 0, 0]
    np.testing.assert_array_equal(skin_weights(np.array([shoulder])), [[1, 0, 0]])
    np.testing.assert_array_equal(skin_weights(np.array([chin, crown, ear])), [[0, 0, 1]] * 3)


def test_weights_are_shares_that_change_smoothly_down_the_neck() -> None:
    down = np.column_stack([np.zeros(400), np.linspace(0, -18, 400), np.full(400, 3.0)])
    weights = skin_weights(down)
    np.testing.assert_allclose(weights.sum(1), 1)
    assert (weights >= 0).all()
    assert np.abs(np.diff(weights, axis=0)).max() < 0.02
    assert (quantized_weights(weights).sum(1, dtype=int) == 255).all()
