import json
from pathlib import Path

import numpy as np
import pytest

from bench.agreement import CHANNELS, Face, Truth, agreement, correlation, frames_at

FRAMES = 90  # a loop of three seconds at 30 frames a second
TURN = 2 * np.pi * np.arange(FRAMES) / FRAMES


@pytest.fixture
def truth() -> Truth:
    values = [np.sin(TURN), np.cos(TURN), np.sin(2 * TURN), np.cos(3 * TURN)]
    face = Face(dict(zip(CHANNELS, values, strict=True)))
    return Truth(FRAMES, (face,))


def test_the_truth_is_read_by_channels(tmp_path: Path) -> None:
    weights = {"jawOpen": [0, 1], "mouthSmileLeft": [0, 1], "mouthSmileRight": [0, 0.5]}
    weights |= {"eyeBlinkLeft": [1, 0], "eyeBlinkRight": [1, 1]}
    film = {"frames": 2, "faces": [{"yaw": [-3, 4], "blendshapes": weights}]}
    (tmp_path / "faces.json").write_text(json.dumps(film))
    read = Truth.load(tmp_path / "faces.json")
    assert read.frames == 2
    np.testing.assert_allclose(read.faces[0].values["smile"], [0, 0.75])
    np.testing.assert_allclose(read.faces[0].values["blink"], [1, 0.5])
    np.testing.assert_allclose(read.faces[0].at("yaw", np.array([0, 0.5, 1, 2])), [-3, 0.5, 4, -3])


def test_frames_are_counted_on_past_the_loops_end() -> None:
    seen_at, numbers = np.array([0.0, 1, 2]), np.array([88, 89, 1])
    np.testing.assert_allclose(frames_at(seen_at, numbers, FRAMES, np.array([0.5, 1.5])), [88.5, 90])


@pytest.mark.parametrize("delay", [0.0, 0.085, 0.4])
def test_a_late_character_agrees_at_its_delay(truth: Truth, delay: float) -> None:
    seen_at = np.arange(0, 6, 0.05)  # every second or third frame
    moved_at = np.arange(0.7, 5.9, 1 / 60)
    shown = (moved_at - delay) * 30
    moved = {channel: 0.6 * truth.faces[0].at(channel, shown) + 0.1 for channel in CHANNELS}
    found = agreement(truth, truth.faces[0], seen_at, (seen_at * 30).round() % FRAMES, moved_at, moved)
    assert found.delay == pytest.approx(delay, abs=0.011)
    assert min(found.r.values()) > 0.99


def test_what_never_moves_agrees_with_nothing() -> None:
    assert correlation(np.zeros(5), np.arange(5.0)) == 0
    assert correlation(np.arange(5.0), 3 - np.arange(5.0)) == pytest.approx(-1)
