import numpy as np
import pytest

from service.tracking.neutral import NeutralCalibration, NeutralState, relative_to_neutral

OFF, COLLECTING, ON = NeutralState
ONE, TWO = np.array([1]), np.array([1, 2])


def expressions(*values: float) -> np.ndarray:
    """One face a value, all coefficients alike."""
    return np.repeat(np.array(values, np.float32)[:, None], 46, axis=1)


def test_by_hand() -> None:
    rest = np.array([0.0, 0.2, 0.2, 0.2, 0.5])
    seen = np.array([0.3, 0.2, 0.6, 0.1, 1.0])
    np.testing.assert_allclose(relative_to_neutral(seen, rest), [0.3, 0, 0.5, 0, 1], rtol=1e-6)


def test_a_rest_near_1_does_not_blow_up_noise() -> None:
    """A tenth of the range is left at least: 0.01 more than at rest is 0.1, not 1."""
    np.testing.assert_allclose(
        relative_to_neutral(np.array([0.99, 1, 1]), np.array([0.99, 0.99, 1])), [0, 0.1, 0], atol=1e-6
    )


def test_the_mean_of_one_second_is_taken_off() -> None:
    neutral = NeutralCalibration()
    np.testing.assert_array_equal(neutral.subtract(expressions(0.4), ONE, ONE, 0.0), expressions(0.4))
    assert neutral.states(ONE) == (OFF,)
    neutral.calibrate()
    assert neutral.states(ONE) == (OFF,)  # the next frame begins it
    for timestamp, value in ((0.5, 0.1), (0.9, 0.2), (1.4, 0.3)):
        np.testing.assert_array_equal(neutral.subtract(expressions(value), ONE, ONE, timestamp), expressions(value))
        assert neutral.states(ONE) == (COLLECTING,)
    np.testing.assert_allclose(neutral.subtract(expressions(0.6), ONE, ONE, 1.5), expressions(0.5), rtol=1e-6)
    assert neutral.states(ONE) == (ON,)
    np.testing.assert_array_equal(neutral.subtract(expressions(0.1), ONE, ONE, 1.6), expressions(0))


def test_each_has_their_own() -> None:
    neutral = NeutralCalibration()
    neutral.calibrate()
    neutral.subtract(expressions(0.1, 0.5), TWO, TWO, 0.0)
    out = neutral.subtract(expressions(0.55, 0.55), TWO[::-1], TWO, 1.0)
    np.testing.assert_allclose(out, expressions(0.1, 0.5), rtol=1e-5)


def test_who_comes_later_is_not_calibrated() -> None:
    neutral = NeutralCalibration()
    neutral.calibrate()
    neutral.subtract(expressions(0.2), ONE, ONE, 0.0)
    neutral.subtract(expressions(0.2, 0.2), TWO, TWO, 0.5)
    assert neutral.states(TWO) == (COLLECTING, OFF)
    np.testing.assert_allclose(neutral.subtract(expressions(0.2, 0.2), TWO, TWO, 1.0), expressions(0, 0.2), atol=1e-6)
    assert neutral.states(TWO) == (ON, OFF)


def test_who_is_hidden_at_its_beginning_takes_part() -> None:
    neutral = NeutralCalibration()
    neutral.calibrate()
    neutral.subtract(expressions(0.2), ONE, TWO, 0.0)
    neutral.subtract(expressions(0.2, 0.4), TWO, TWO, 0.5)
    np.testing.assert_allclose(neutral.subtract(expressions(0.2, 0.4), TWO, TWO, 1.0), expressions(0, 0), atol=1e-6)


def test_who_is_not_seen_at_all_stays_as_they_were() -> None:
    neutral = NeutralCalibration()
    neutral.calibrate()
    neutral.subtract(expressions(0.2), ONE, TWO, 0.0)
    out = neutral.subtract(expressions(0.2, 0.4), TWO, TWO, 1.0)
    np.testing.assert_allclose(out, expressions(0, 0.4), atol=1e-6)
    assert neutral.states(TWO) == (ON, OFF)


def test_a_rest_ends_with_its_track() -> None:
    neutral = NeutralCalibration()
    neutral.calibrate()
    neutral.subtract(expressions(0.2), ONE, ONE, 0.0)
    neutral.subtract(expressions(0.2), ONE, ONE, 1.0)
    neutral.subtract(expressions(), ONE[:0], ONE[:0], 3.0)
    np.testing.assert_array_equal(neutral.subtract(expressions(0.2), ONE, ONE, 3.1), expressions(0.2))
    assert neutral.states(ONE) == (OFF,)


@pytest.mark.parametrize("moment", [0.0, 0.5, 1.0])
def test_reset_undoes_all(moment: float) -> None:
    neutral = NeutralCalibration()
    neutral.calibrate()
    for timestamp in np.arange(0, moment, 0.1):
        neutral.subtract(expressions(0.2), ONE, ONE, timestamp)
    neutral.reset()
    assert neutral.states(ONE) == (OFF,)
    for timestamp in (moment, moment + 2):
        np.testing.assert_array_equal(neutral.subtract(expressions(0.3), ONE, ONE, timestamp), expressions(0.3))
    assert neutral.states(ONE) == (OFF,)


def test_the_old_rest_holds_until_the_new_one_is_known() -> None:
    neutral = NeutralCalibration()
    neutral.calibrate()
    neutral.subtract(expressions(0.5), ONE, ONE, 0.0)
    neutral.subtract(expressions(0.5), ONE, ONE, 1.0)
    neutral.calibrate()
    np.testing.assert_allclose(neutral.subtract(expressions(0.75), ONE, ONE, 2.0), expressions(0.5), rtol=1e-6)
    assert neutral.states(ONE) == (COLLECTING,)
    np.testing.assert_allclose(neutral.subtract(expressions(0.75), ONE, ONE, 3.0), expressions(0), atol=1e-6)


def test_asked_twice_it_begins_again() -> None:
    neutral = NeutralCalibration()
    neutral.calibrate()
    neutral.subtract(expressions(0.9), ONE, ONE, 0.0)
    neutral.calibrate()
    neutral.subtract(expressions(0.2), ONE, ONE, 0.9)
    neutral.subtract(expressions(0.2), ONE, ONE, 1.5)
    assert neutral.states(ONE) == (COLLECTING,)
    np.testing.assert_allclose(neutral.subtract(expressions(0.2), ONE, ONE, 1.9), expressions(0), atol=1e-6)


def test_a_given_resting_face_holds_until_another_is_collected() -> None:
    given = np.full(46, 0.5, np.float32)
    calibration = NeutralCalibration(given)
    face, ids = np.full((1, 46), 0.75, np.float32), np.array([1])
    np.testing.assert_allclose(calibration.subtract(face, ids, ids, 0.0), 0.5)
    assert calibration.states(ids) == (NeutralState.ON,)
    calibration.calibrate()
    np.testing.assert_allclose(calibration.subtract(face, ids, ids, 1.0), 0.5)
    np.testing.assert_allclose(calibration.subtract(face, ids, ids, 2.0), 0)
    calibration.reset()
    np.testing.assert_allclose(calibration.subtract(face, ids, ids, 3.0), 0.75)
    assert calibration.states(ids) == (NeutralState.OFF,)
