import json
from pathlib import Path

import numpy as np
import pytest

from service.cli.capture import smoothing
from service.cli.capture.curves import EXPRESSION, GAZE, LOG_SCALE, QUATERNION, Curves
from service.cli.capture.smoothing import averaged, gaussian, smooth_span, smoothed
from service.tracking.options import SmoothingOptions
from service.tracking.smoothing import Smoother
from service.vision.faces import Faces

FACES = Path(__file__).resolve().parents[4] / "studio/film/faces.json"
RATE = 30.0
NOISE = 0.02
BLINK = EXPRESSION.start + 8


def still(count: int = 240) -> np.ndarray:
    """A face at rest, with a camera's noise."""
    noise = np.random.default_rng(0).normal(0, NOISE, (count, GAZE.stop))
    values = np.full((count, GAZE.stop), 0.4) + noise
    values[:, QUATERNION] = [0, 0, 0, 1] + 0.1 * noise[:, QUATERNION]
    return values


def smooth(values: np.ndarray, rate: float) -> np.ndarray:
    result = np.empty_like(values)
    smooth_span(values, rate, result)
    return result


def jitter(values: np.ndarray) -> float:
    return float(np.sqrt((np.diff(values[20:], axis=0) ** 2).mean()))


def live_smoothing(values: np.ndarray) -> np.ndarray:
    """Expressions (N, 46) as a stream smooths them."""
    live, smoother = [], Smoother(SmoothingOptions())
    for number, row in enumerate(values):
        face = Faces.none().take(np.zeros(0, np.intp))
        one = {name: np.zeros((1, *getattr(face, name).shape[1:])) for name in vars(face)}
        one |= {"scale": np.ones(1), "quaternion": np.array([[0.0, 0, 0, 1]]), "expression": row[None, EXPRESSION]}
        live.append(smoother.smooth(Faces(**one), np.array([1]), number / RATE).expression[0])
    return np.array(live)


def test_a_still_face_is_at_most_half_as_restless_as_with_live_smoothing() -> None:
    values = still()
    assert jitter(smooth(values, RATE)[:, EXPRESSION]) <= 0.5 * jitter(live_smoothing(values))


def test_no_coefficient_of_a_still_face_is_more_restless_where_its_noise_has_outliers() -> None:
    """As networks' has: some frames are off by five standard deviations, upward or downward."""
    values = still()
    values[:, EXPRESSION] = 0.2 + (values[:, EXPRESSION] - 0.4) / 5
    values[60::40, EXPRESSION] += 5 * NOISE / 5
    values[75::50, EXPRESSION] -= 5 * NOISE / 5
    offline, live = smooth(values, RATE)[:, EXPRESSION], live_smoothing(values)
    restless = np.diff(offline[20:-20], axis=0).std(axis=0) / np.diff(live[20:-20], axis=0).std(axis=0)
    assert restless.max() <= 0.5


@pytest.mark.parametrize("height", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("frames", [4, 6, 9, 14])
def test_a_blink_keeps_its_frame_and_height_whatever_its_length(frames: int, height: float) -> None:
    """46 at once, each with noise of its own, which moves the peak of a broad one: smoothing does not add to it."""
    values = still()
    steps = np.arange(-(frames // 2), frames // 2 + 1)
    blink = height / 2 * (1 + np.cos(2 * np.pi * steps / (2 * (frames // 2) + 1)))
    values[:, EXPRESSION] = 0.05 + (values[:, EXPRESSION] - 0.4) / 4
    values[120 + steps[0] : 121 + steps[-1], EXPRESSION] += blink[:, None]
    after = smooth(values, RATE)[:, EXPRESSION]
    late, late_before = after.argmax(axis=0) - 120, values[:, EXPRESSION].argmax(axis=0) - 120
    assert abs(late.mean()) <= 0.15
    assert (late**2).mean() <= (late_before**2).mean() + 0.02
    np.testing.assert_allclose(after.max(axis=0) / values[:, EXPRESSION].max(axis=0), 1, atol=0.06)


def test_closed_eyes_open_and_close_in_their_frames() -> None:
    values = still()
    values[:, EXPRESSION] = 0.05 + (values[:, EXPRESSION] - 0.4) / 4
    values[100:130, EXPRESSION] += 0.8
    after = smooth(values, RATE)[:, EXPRESSION]
    assert ((after > 0.45) == (values[:, EXPRESSION] > 0.45)).all()
    np.testing.assert_allclose(after[105:125].mean(axis=0), 0.85, atol=0.01)


def test_the_peaks_of_blinks_keep_their_frames_and_heights() -> None:
    values = still()
    blinks = np.asarray(json.loads(FACES.read_text())["faces"][0]["blendshapes"]["eyeBlinkLeft"])[:240]
    values[:, BLINK] = 0.1 + 0.8 * blinks + 0.2 * (values[:, BLINK] - 0.4)
    after = smooth(values, RATE)[:, BLINK]
    lags = range(-3, 4)
    same = [np.corrcoef(after[10:-10], np.roll(values[:, BLINK], lag)[10:-10])[0, 1] for lag in lags]
    assert lags[int(np.argmax(same))] == 0
    closed = blinks > 0.9
    assert closed.sum() > 5
    np.testing.assert_allclose(after[closed], values[closed, BLINK], atol=0.04)


def test_a_blink_of_one_frame_stays_in_its_frame() -> None:
    values = still()
    values[100, BLINK] = 1.0
    after = smooth(values, RATE)[:, BLINK]
    assert after.argmax() == 100
    assert after[100] > 0.8


def test_an_even_motion_stays_as_it_is_up_to_its_ends() -> None:
    values = np.zeros((60, GAZE.stop))
    values[:, LOG_SCALE.start] = np.linspace(2, 3, 60)
    np.testing.assert_allclose(smooth(values, RATE), values, atol=1e-9)


def test_played_backwards_it_is_the_same() -> None:
    values = still(120)
    np.testing.assert_allclose(smooth(values[::-1], RATE)[::-1][45:75], smooth(values, RATE)[45:75], atol=2e-3)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 20])
def test_short_runs_are_smoothed_as_far_as_they_go(count: int) -> None:
    result = smooth(still(count), RATE)
    assert result.shape == (count, GAZE.stop)
    assert np.isfinite(result).all()


def test_runs_do_not_see_each_other_and_gaps_stay_empty() -> None:
    values = still(60)
    values[:30] += 0.5
    seen = np.ones(60, bool)
    seen[28:32] = False
    values[~seen] = np.nan
    values[:, GAZE] = np.nan  # faces that were not refined
    result = smoothed(Curves(values, seen, ~seen & False), RATE).values
    assert np.isnan(result[~seen]).all()
    assert np.isnan(result[:, GAZE]).all()
    np.testing.assert_allclose(result[:28, BLINK].mean(), 0.9, atol=0.02)
    np.testing.assert_allclose(result[32:, BLINK].mean(), 0.4, atol=0.02)


@pytest.mark.parametrize("rate", [RATE, 23.976])
def test_a_long_run_is_smoothed_as_if_at_once(rate: float, monkeypatch: pytest.MonkeyPatch) -> None:
    values = still(300)
    values[:, LOG_SCALE.start] += np.sin(np.arange(300) / 20)
    at_once = smooth(values, rate)
    monkeypatch.setattr(smoothing, "BLOCK_SECONDS", 2)
    np.testing.assert_allclose(smooth(values, rate), at_once, atol=1e-9)


def test_a_mean_of_equal_values_is_that_value() -> None:
    np.testing.assert_allclose(averaged(np.full((9, 2), 3.0), gaussian(3.6)), 3.0)
