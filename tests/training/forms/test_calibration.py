"""Sets that cannot calibrate are refused with the reason; a blank picture among others is fine."""

import re

import numpy as np
import pytest

from training.forms.calibration import check_pictures

SIDE = 8


def photos(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def test_pictures_that_show_something_pass() -> None:
    check_pictures(photos(), SIDE)
    check_pictures(photos(1), SIDE)
    check_pictures(np.concatenate([photos(), np.zeros((2, SIDE, SIDE, 3), np.uint8)]), SIDE)


@pytest.mark.parametrize(
    ("pictures", "reason"),
    [
        (photos().tolist(), "not list"),
        (photos().astype(np.float32) / 255, "these are float32. Give grey levels 0 to 255"),
        (photos()[0], "these are (8, 8, 3)"),
        (photos()[:, :4], "these are (3, 4, 8, 3)"),
        (photos().transpose(0, 3, 1, 2), "these are (3, 3, 8, 8)"),
        (photos()[:0], "there is none"),
        (np.zeros((1, SIDE, SIDE, 3), np.uint8), "on the 1 given every pixel is 0"),
        (np.full((5, SIDE, SIDE, 3), 114, np.uint8), "on the 5 given every pixel is 114"),
        (photos() // 8 + 100, "all values lie within 100 to 131"),
    ],
)
def test_the_others_are_refused_with_the_reason(pictures: np.ndarray, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^calibration needs .*{re.escape(reason)}"):
        check_pictures(pictures, SIDE)
