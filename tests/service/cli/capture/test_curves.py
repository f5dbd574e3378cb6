import numpy as np
import pytest

from service.cli.capture.curves import BOX, EXPRESSION, Curves
from service.cli.capture.records import COLUMNS, WIDTH
from service.vision.rotation import euler_to_quaternion

RATE = 30.0


def rows(count: int) -> np.ndarray:
    """A head that turns evenly, 2 degrees a frame, while everything else rises evenly."""
    rise = np.arange(count)[:, None]
    values = np.zeros((count, WIDTH), np.float32)
    values[:, COLUMNS["score"]] = 0.9
    values[:, COLUMNS["box"]] = 10 + rise + [0, 0, 100, 100]
    values[:, COLUMNS["quaternion"]] = euler_to_quaternion(2.0 * np.arange(count), 0, 0)
    values[:, COLUMNS["translation"]] = np.array([1, 2, -50])
    values[:, COLUMNS["scale"]] = 10
    values[:, COLUMNS["expression"]] = 0.01 * rise
    return values


def curves(count: int, *unseen: int) -> Curves:
    seen = np.ones(count, bool)
    seen[list(unseen)] = False
    return Curves.of(rows(count), seen)


def times(count: int) -> np.ndarray:
    return np.arange(count) / RATE


def test_curves_hold_what_was_seen() -> None:
    whole, expected = curves(40), rows(40)
    np.testing.assert_allclose(whole.translation, expected[:, COLUMNS["translation"]], rtol=1e-5)
    np.testing.assert_allclose(whole.scale, 10, rtol=1e-6)
    np.testing.assert_allclose(whole.quaternion, expected[:, COLUMNS["quaternion"]], atol=1e-6)
    np.testing.assert_allclose(whole.coefficients(EXPRESSION), expected[:, COLUMNS["expression"]], atol=1e-6)


def test_quaternions_stay_on_one_side_of_the_sphere() -> None:
    turning = rows(40)
    turning[::2, COLUMNS["quaternion"]] *= -1
    quaternion = Curves.of(turning, np.ones(40, bool)).quaternion
    assert ((quaternion[1:] * quaternion[:-1]).sum(axis=1) > 0).all()


def test_curves_of_parts_are_those_of_the_whole() -> None:
    turning = rows(40)
    turning[15:, COLUMNS["quaternion"]] *= -1
    seen = np.arange(40) != 12
    parts = [Curves.of(turning[part], seen[part]) for part in (slice(0, 13), slice(13, 20), slice(20, 40))]
    whole, joined = Curves.of(turning, seen), Curves.joined(parts)
    np.testing.assert_array_equal(joined.values, whole.values)
    np.testing.assert_array_equal(joined.seen, seen)


def test_a_gap_of_half_a_second_is_bridged_evenly_and_marked() -> None:
    gap = range(10, 25)  # 15 frames
    bridged = curves(40, *gap).with_gaps_bridged(times(40))
    assert np.flatnonzero(bridged.bridged).tolist() == list(gap)
    assert np.flatnonzero(~bridged.seen).tolist() == list(gap)
    np.testing.assert_allclose(bridged.values[:, BOX], rows(40)[:, COLUMNS["box"]], atol=1e-4)
    middle = bridged.quaternion[17]
    np.testing.assert_allclose(np.abs(middle @ euler_to_quaternion(34.0, 0, 0)), 1, atol=1e-6)


def test_a_longer_gap_and_what_lies_before_the_first_face_stay_empty() -> None:
    open_ended = curves(60, 0, 1, *range(20, 36), 59).with_gaps_bridged(times(60))
    assert not open_ended.bridged.any()
    assert np.isnan(open_ended.values[~open_ended.seen]).all()
    assert open_ended.spans() == [slice(2, 20), slice(36, 59)]


@pytest.mark.parametrize("rate", [15.0, 24.0, 60.0])
def test_resampled_curves_lie_between_the_frames(rate: float) -> None:
    new = np.arange(round(39 / RATE * rate)) / rate
    resampled = curves(40).resampled(times(40), new)
    assert resampled.seen.all()
    np.testing.assert_allclose(resampled.values[:, BOX.start], 10 + RATE * new, rtol=1e-5)


def test_resampled_frames_are_known_as_far_as_both_neighbours_are() -> None:
    resampled = curves(4, 2).resampled(times(4), np.arange(7) / (2 * RATE))
    assert resampled.seen.tolist() == [True, True, True, False, False, False, True]
    assert not resampled.bridged.any()
    bridged = curves(4, 2).with_gaps_bridged(times(4)).resampled(times(4), np.arange(7) / (2 * RATE))
    assert bridged.known.all()
    assert bridged.bridged.tolist() == [False, False, False, True, True, True, False]


def test_a_hole_in_the_film_stays_one() -> None:
    late = np.concatenate([times(20), 1 + times(20)])  # after 20 frames nothing for a third of a second and more
    later = np.concatenate([times(20), 2 + times(20)])
    for before, hole in ((late, False), (later, True)):
        new = np.arange(0, before[-1], 1 / RATE)
        resampled = curves(40).resampled(before, new)
        assert resampled.seen.tolist() == (
            [not 19 / RATE + 1e-6 < time < before[20] - 1e-6 for time in new] if hole else [True] * len(new)
        )
        assert not resampled.bridged.any()


def test_resampling_to_its_own_rate_changes_nothing() -> None:
    before = curves(10, 4).with_gaps_bridged(times(10))
    after = before.resampled(times(10), times(10))
    np.testing.assert_allclose(after.values, before.values)
    np.testing.assert_array_equal(after.bridged, before.bridged)
