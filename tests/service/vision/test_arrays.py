"""Pixels in order, whatever their layout in memory."""

import numpy as np
import pytest

from service.vision.arrays import without_gaps

PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
VIEWS = {
    "rows with gaps": np.pad(PIXELS, ((0, 0), (1, 2), (0, 0)))[:, 1:-2],
    "upside down": PIXELS[::-1],
    "mirrored": PIXELS[:, ::-1],
    "turned": np.rot90(PIXELS),
    "blue first": PIXELS[..., ::-1],
    "beside alpha": np.pad(PIXELS, ((0, 0), (0, 0), (0, 1)))[..., :3],
    "one of three": PIXELS[..., 1:2],
}


@pytest.mark.parametrize("view", VIEWS)
def test_views_become_pixels_in_order(view: str) -> None:
    pixels = VIEWS[view]
    found = without_gaps(pixels)
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, pixels)


def test_pixels_in_order_are_not_copied() -> None:
    assert without_gaps(PIXELS) is PIXELS
