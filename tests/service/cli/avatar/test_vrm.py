"""VRM's vowels of mouths that everybody knows how to make."""

import numpy as np
import pytest

from service.cli.avatar.vrm import PRESETS, presets
from service.vision.arkit import ARKIT_NAMES


def of(**shown: float) -> dict[str, float]:
    """The presets that are not 0 of a face that shows some of ARKit's shapes."""
    weights = np.zeros(52, np.float32)
    for name, weight in shown.items():
        weights[ARKIT_NAMES.index(name)] = weight
    found = presets(weights).tolist()
    return {name: round(weight, 5) for name, weight in zip(PRESETS, found, strict=True) if weight}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({}, {}),
        ({"jawOpen": 0.75}, {"A": 0.75}),
        ({"mouthStretchLeft": 0.5, "mouthStretchRight": 0.5}, {"I": 0.5}),
        ({"mouthPucker": 0.5}, {"U": 0.5}),
        ({"jawOpen": 1, "mouthStretchLeft": 1, "mouthStretchRight": 1}, {"E": 1}),
        ({"jawOpen": 1, "mouthFunnel": 1}, {"O": 1}),
        ({"jawOpen": 0.5, "mouthFunnel": 0.5}, {"A": 0.25, "U": 0.25, "O": 0.25}),
        ({"jawOpen": 0.5, "mouthClose": 0.5}, {}),  # the jaw is open, the lips are not
        ({"eyeBlinkLeft": 0.25, "eyeBlinkRight": 1}, {"Blink_L": 0.25, "Blink_R": 1}),
        ({"mouthSmileLeft": 1, "browDownLeft": 1}, {}),
    ],
)
def test_known_mouths(shown: dict[str, float], expected: dict[str, float]) -> None:
    assert of(**shown) == expected


def test_vowels_never_add_up_to_more_than_one() -> None:
    weights = np.random.default_rng(0).random((1000, 52))
    found = presets(weights)
    assert found.shape == (1000, 7)
    assert found.min() >= 0
    assert found[:, :5].sum(axis=1).max() <= 1 + 1e-12
