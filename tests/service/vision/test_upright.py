import numpy as np
import pytest
from PIL import Image

from service.errors import BAD_PARAMETER, RequestError
from service.vision.image import Picture
from service.vision.letterbox import Letterbox
from service.vision.upright import upright

PIXELS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
TURNED = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


@pytest.mark.parametrize("rotation", TURNED)
def test_pictures_are_turned_clockwise(rotation: int) -> None:
    """Pillow turns counter-clockwise. The picture was sent twice as large as it is decoded."""
    turned = upright(lambda _: Picture(PIXELS, 12, 8), rotation)(6)
    np.testing.assert_array_equal(turned.pixels, np.asarray(Image.fromarray(PIXELS).transpose(TURNED[rotation])))
    assert (turned.width, turned.height) == ((12, 8) if rotation == 180 else (8, 12))
    assert np.shares_memory(turned.pixels, PIXELS)


def test_no_turn_is_no_work() -> None:
    def load(_: int) -> Picture:
        return Picture(PIXELS, 6, 4)

    assert upright(load, 0) is load


def test_more_pixels_than_are_needed_are_averaged_first() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (90, 150, 3), np.uint8)
    turned = upright(lambda _: Picture(pixels, 150, 90), 90)(50)
    assert turned.pixels.shape == (50, 30, 3)
    whole = np.rot90(pixels, -1)
    box = Letterbox.fit(90, 150, 48)
    np.testing.assert_allclose(box.apply(turned.pixels), box.apply(whole).astype(int), atol=1)


@pytest.mark.parametrize("rotation", [45, -90, 360, 1, 2**32 - 1])
def test_other_turns_are_refused(rotation: int) -> None:
    with pytest.raises(RequestError, match=f"The rotation is {rotation}; expected 0, 90, 180 or 270") as problem:
        upright(lambda _: Picture(PIXELS, 6, 4), rotation)
    assert problem.value.kind is BAD_PARAMETER
