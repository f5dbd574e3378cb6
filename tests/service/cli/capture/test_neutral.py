import numpy as np

from service.cli.capture.curves import EXPRESSION, GAZE, QUATERNION, Curves
from service.cli.capture.neutral import absolute, resting_face
from service.vision.rotation import euler_to_quaternion

RESTING = np.linspace(0, 0.4, 46)
JAW = 5


def curves(count: int = 300, yaw: float = 0.0) -> Curves:
    """Someone who rests, with a camera's noise, and talks half of the time."""
    values = np.zeros((count, GAZE.stop))
    values[:, EXPRESSION] = RESTING + np.random.default_rng(0).normal(0, 0.005, (count, 46))
    values[: count // 2, EXPRESSION.start + JAW] += 0.4 * np.abs(np.sin(np.arange(count // 2)))
    values[:, QUATERNION] = euler_to_quaternion(yaw, 0, 0)
    return Curves(values, np.ones(count, bool), np.zeros(count, bool))


def test_the_resting_face_is_found_among_what_the_face_does() -> None:
    np.testing.assert_allclose(resting_face(curves()), RESTING, atol=0.02)


def test_frames_in_which_the_head_is_turned_away_do_not_count() -> None:
    turned = curves(yaw=60)
    turned.values[:, EXPRESSION] = 0
    both = Curves(np.concatenate([curves().values, turned.values]), np.ones(600, bool), np.zeros(600, bool))
    np.testing.assert_allclose(resting_face(both), RESTING, atol=0.02)


def test_of_a_head_that_is_always_turned_all_frames_count() -> None:
    np.testing.assert_allclose(resting_face(curves(yaw=60)), RESTING, atol=0.02)


def test_frames_without_a_face_do_not_count() -> None:
    values = curves().values
    seen = np.arange(300) % 3 > 0
    values[~seen] = np.nan
    np.testing.assert_allclose(resting_face(Curves(values, seen, ~seen & False)), RESTING, atol=0.02)


def test_where_all_that_is_known_is_bridged_it_counts() -> None:
    bridged = Curves(curves().values, np.zeros(300, bool), np.ones(300, bool))
    np.testing.assert_allclose(resting_face(bridged), RESTING, atol=0.02)


def test_absolute_expressions_have_none() -> None:
    absolute(curves())
