import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.kalman import INITIAL_SPEED, MEASUREMENT_NOISE, PROCESS_NOISE, KalmanBoxes

BOX = np.array([[100.0, 200, 180, 300]])


def test_a_new_box_stands_still_where_it_was_seen() -> None:
    later = KalmanBoxes.start(BOX).predict(0.7)
    np.testing.assert_allclose(later.box, BOX)
    assert later.size == pytest.approx(np.sqrt(80 * 100))
    assert later.deviation > KalmanBoxes.start(BOX).deviation


@given(st.floats(0.001, 1), st.floats(0.001, 1))
def test_two_steps_are_one(first: float, second: float) -> None:
    start = KalmanBoxes.start(BOX).predict(0.1).update(BOX + 5)
    steps, whole = start.predict(first).predict(second), start.predict(first + second)
    for name, value in vars(steps).items():
        np.testing.assert_allclose(value, getattr(whole, name), rtol=1e-9, atol=1e-12)


def test_one_step_is_that_of_the_textbook() -> None:
    """The Kalman filter written with matrices, for a coordinate and its speed, in face sizes."""
    dt, size = 0.2, np.sqrt(80 * 100)
    F = np.array([[1, dt], [0, 1]])
    Q = PROCESS_NOISE * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    P = F @ np.diag([MEASUREMENT_NOISE**2, INITIAL_SPEED**2]) @ F.T + Q
    K = P[:, 0] / (P[0, 0] + MEASUREMENT_NOISE**2)
    P = P - np.outer(K, P[0])
    motion = KalmanBoxes.start(BOX).predict(dt).update(BOX + np.array([30, -10, 30, -10]))
    np.testing.assert_allclose(motion.position[0, :2], np.array([140, 250]) + K[0] * np.array([30, -10]))
    np.testing.assert_allclose(motion.velocity[0, :2], K[1] * np.array([30, -10]))
    np.testing.assert_allclose(
        [motion.variance[0], motion.covariance[0], motion.speed_variance[0]], P[[0, 0, 1], [0, 1, 1]]
    )
    assert motion.size == pytest.approx(size)


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_speed_and_growth_are_learnt(fps: int) -> None:
    """150 pixels a second to the right, growing by a fifth a second."""

    def box(t: float) -> np.ndarray:
        half = 50 * np.exp(0.2 * t)
        return np.array([[300 + 150 * t - half, 200 - half, 300 + 150 * t + half, 200 + half]])

    motion = KalmanBoxes.start(box(0))
    for frame in range(1, 2 * fps + 1):
        motion = motion.predict(1 / fps).update(box(frame / fps))
    np.testing.assert_allclose(motion.velocity, [[150, 0, 0.2, 0.2]], atol=0.5)
    np.testing.assert_allclose(motion.predict(0.5).box, box(2.5), atol=1)


def test_an_empty_box_stays_finite() -> None:
    assert np.isfinite(KalmanBoxes.start(np.array([[5.0, 5, 5, 5]])).predict(1).update(BOX).box).all()
