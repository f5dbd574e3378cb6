"""Frames of a still face move as they say, and the measure undoes it."""

import numpy as np
import pytest

from training.evaluation.jitter import FRAMES, MOST_SHIFT, NOISE, frames, standard_deviation, undone

WIDTH, HEIGHT = 120, 90


def spot(x: float, y: float) -> np.ndarray:
    """A bright smooth spot before grey."""
    column, row = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    value = 100 + 140 * np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * 4.0**2))
    return np.repeat(np.round(value).astype(np.uint8)[..., None], 3, axis=-1)


def centre_of_light(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    light = np.maximum(picture.mean(axis=-1) - 110, 0)
    column, row = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    light = light * ((column - x) ** 2 + (row - y) ** 2 < 20**2)
    return np.asarray(np.array([(light * column).sum(), (light * row).sum()]) / light.sum())


def test_frames_move_as_they_say() -> None:
    rng = np.random.default_rng(0)
    x, y = 30.3, 60.7
    moved = list(frames(spot(x, y), rng))
    assert len(moved) == FRAMES
    places = np.array([movement.points(np.array([x, y]), WIDTH, HEIGHT) for movement, _ in moved])
    seen = np.array([centre_of_light(frame, x, y) for _, frame in moved])
    np.testing.assert_allclose(seen, places, atol=0.1)
    assert np.ptp(places, axis=0).min() > MOST_SHIFT  # they do move
    back = [undone(movement, point, WIDTH, HEIGHT) for (movement, _), point in zip(moved, places, strict=True)]
    np.testing.assert_allclose(back, np.tile([x, y], (FRAMES, 1)), atol=1e-9)


def test_edge_stays_the_photos_own_and_noise_is_as_strong_as_said() -> None:
    photo = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    pictures = np.stack([frame for _, frame in frames(photo, np.random.default_rng(1), 8)]).astype(float)
    assert pictures.std() == pytest.approx(np.hypot(NOISE, np.sqrt(1 / 12)), rel=0.02)  # and rounding's own
    assert pictures[:, 0].mean() == pytest.approx(200, abs=0.2)
    assert pictures[:, :, -1].mean() == pytest.approx(200, abs=0.2)


def test_same_seed_same_frames() -> None:
    first, second = (list(frames(spot(50, 40), np.random.default_rng(7), 2)) for _ in range(2))
    np.testing.assert_array_equal(first[1][1], second[1][1])


def test_standard_deviation_takes_both_axes() -> None:
    points = np.zeros((3, 68, 2))
    points[:, 4] = [[1, 5], [2, 5], [3, 5]]  # variance 1 in x
    points[:, 5] = [[0, 0], [3, 4], [-3, -4]]  # variances 9 and 16
    deviation = standard_deviation(points)
    assert deviation[[4, 5]] == pytest.approx([1, 5])
    assert deviation.sum() == pytest.approx(6)
