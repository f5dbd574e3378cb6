import numpy as np

from training.render.tongue import ROOT, TIP, let_out, tongue_shift

RESTING = np.array([[0, -4.7, ROOT - 0.5], [0, -3.1, 7.0], [1.5, -3.3, 7.5], [-1.5, -3.3, 7.5], [0, -4.0, TIP]])


def test_a_tongue_in_the_mouth_stays() -> None:
    np.testing.assert_array_equal(tongue_shift(RESTING, 0), 0)


def test_its_tip_comes_out_past_the_lip_and_droops_while_its_root_stays() -> None:
    out = RESTING + tongue_shift(RESTING, 1)
    np.testing.assert_allclose(out[0], RESTING[0])
    assert out[4, 2] > 12.5  # the lower lip is at 11.3 cm
    assert out[4, 1] < RESTING[4, 1]
    assert (np.diff(out[[0, 1, 4], 2]) > 0).all()


def test_it_clears_the_lower_teeth() -> None:
    """A tongue of 1 cm thickness passes over their edge, 10.6 cm deep and 3.4 cm below the head's origin."""
    depth = np.linspace(6, TIP, 200)
    under = np.stack([np.zeros(200), np.full(200, -4.45), depth], axis=1)
    out = under + tongue_shift(under, 1)
    at_the_teeth = np.abs(out[:, 2] - 10.6).argmin()
    assert out[at_the_teeth, 1] > -3.4


def test_both_sides_move_alike() -> None:
    left, right = tongue_shift(RESTING, 0.8)[2:4]
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=1e-6)


def test_a_closed_mouth_keeps_it_in() -> None:
    assert let_out(1, 0.1, 0) == 0
    assert let_out(1, 0.6, 0.5) == 0
    assert let_out(0.7, 0.6, 0.0) == 0.7
