import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BAD_PARAMETER, RequestError
from service.tracking.neutral import NeutralCalibration, NeutralState, neutral_expression, relative_to_neutral

OFF, COLLECTING, ON = NeutralState
ONE, TWO = np.array([1]), np.array([1, 2])
NAMES = tuple(f"shape{number}" for number in range(46))
WEIGHTS = dict.fromkeys(NAMES, 0.25)


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


@given(st.lists(st.floats(0, 1, width=32), min_size=46, max_size=46), st.randoms())
def test_of_a_face_that_shows_what_is_given_nothing_is_left(shown: list[float], order: random.Random) -> None:
    """In whatever order the weights come; what comes later of everybody, and of who comes later, is relative to it."""
    weights = list(zip(NAMES, shown, strict=True))
    order.shuffle(weights)
    face = neutral_expression(dict(weights), NAMES)
    assert face.dtype == np.float32
    assert face.tolist() == shown
    calibration = NeutralCalibration(face)
    np.testing.assert_array_equal(calibration.subtract(face[None], ONE, ONE, 0.0), 0)
    both = calibration.subtract(np.stack([face, np.ones(46, np.float32)]), TWO, TWO, 9.0)
    np.testing.assert_array_equal(both[0], 0)
    np.testing.assert_allclose(both[1], np.minimum((1 - face) / 0.1, 1), rtol=1e-5)
    assert calibration.states(TWO) == (ON, ON)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shape3": None}, "neutral lacks shape3; expected a number from 0 to 1 for each of this model's 46 names"),
        (dict.fromkeys(NAMES), "neutral lacks shape0;"),
        ({"jawOpen": 0.5}, "neutral has 'jawOpen';"),
        ({"x" * 10**6: 0.5}, "neutral has 'xxxxx"),
        ({"shape9": 1.01}, "neutral.shape9 is 1.01;"),
        ({"shape9": -1e-9}, "neutral.shape9 is -1e-09;"),
        ({"shape9": math.nan}, "neutral.shape9 is nan;"),
        ({"shape9": math.inf}, "neutral.shape9 is inf;"),
        ({"shape9": True}, "neutral.shape9 is True;"),
        ({"shape9": "0.5"}, "neutral.shape9 is '0.5';"),
        ({"shape9": [0.5] * 1000}, "neutral.shape9 is [0.5,"),
    ],
)
def test_what_is_no_expression_is_refused(change: dict[str, object], words: str) -> None:
    changed = {name: weight for name, weight in (WEIGHTS | change).items() if weight is not None}
    with pytest.raises(RequestError) as problem:
        neutral_expression(changed, NAMES)
    assert problem.value.kind is BAD_PARAMETER
    assert words in problem.value.detail
    assert len(problem.value.detail) < 250
