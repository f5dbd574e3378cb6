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


@pytest.mark.parametrize(
    ("missing", "seen", "bridged"),
    [
        (2, True, False),  # frames a tenth of a second apart
        (3, False, True),
        (14, False, True),  # half a second
        (15, False, False),
        (45, False, False),
    ],
)
def test_frames_that_the_film_lacks_are_bridged_and_marked_as_those_without_the_face(
    missing: int, seen: bool, bridged: bool
) -> None:
    shown = np.concatenate([np.arange(20), np.arange(20 + missing, 40 + missing)])
    resampled = curves(40).resampled(times(40 + missing)[shown], times(40 + missing))
    lacking = ~np.isin(np.arange(40 + missing), shown)
    np.testing.assert_array_equal(resampled.seen, ~lacking | seen)
    np.testing.assert_array_equal(resampled.bridged, lacking & bridged)
    np.testing.assert_array_equal(np.isnan(resampled.values).all(axis=1), lacking & (not seen and not bridged))


@pytest.mark.parametrize(("apart", "bridged"), [(0.2, True), (1.0, False)])
def test_between_the_pictures_of_a_slow_film_nobody_is_seen(apart: float, bridged: bool) -> None:
    pictures: np.ndarray = apart * np.arange(5)
    new = np.arange(round(4 * apart * RATE) + 1) / RATE
    resampled = curves(5).resampled(pictures, new)
    shown = np.isclose(new[:, None], pictures).any(axis=1)
    assert shown.sum() == 5
    np.testing.assert_array_equal(resampled.seen, shown)
    np.testing.assert_array_equal(resampled.bridged, ~shown & bridged)
    # What is known lies on the line through the pictures.
    known = resampled.known
    np.testing.assert_allclose(resampled.values[known, BOX.start], 10 + new[known] / apart, rtol=1e-5)


@pytest.mark.parametrize("frame", [0, 1, 3])
@pytest.mark.parametrize("rate", [1.0, RATE])
def test_of_a_face_in_one_frame_of_a_slow_film_something_is_left(frame: int, rate: float) -> None:
    """Where no new frame is at its time, the nearest one has it."""
    pictures = np.array([0, 0.61, 1.22, 1.83])
    new = np.arange(int(pictures[-1] * rate) + 1) / rate
    alone = curves(4, *{0, 1, 2, 3} - {frame})
    resampled = alone.resampled(pictures, new)
    shown = np.abs(new - pictures[frame]).argmin()
    assert np.flatnonzero(resampled.seen).tolist() == [shown]
    np.testing.assert_array_equal(resampled.values[shown], alone.values[frame])
    assert not resampled.bridged.any()


def test_resampling_to_its_own_rate_changes_nothing() -> None:
    before = curves(10, 4).with_gaps_bridged(times(10))
    after = before.resampled(times(10), times(10))
    np.testing.assert_allclose(after.values, before.values)
    np.testing.assert_array_equal(after.bridged, before.bridged)
