"""Turns pictures upright, by the quarter turns that their senders name."""

from functools import partial
from typing import Final

import numpy as np

from service.errors import BAD_PARAMETER, RequestError
from service.vision.image import ImageLoader, Picture
from service.vision.resampling import block_means

ROTATIONS: Final = (0, 90, 180, 270)  # degrees


def check_rotation(rotation: int) -> None:
    """Raises RequestError BAD_PARAMETER for degrees that are no quarter turns."""
    if rotation not in ROTATIONS:
        raise RequestError(
            BAD_PARAMETER,
            f"The rotation is {rotation}; expected 0, 90, 180 or 270, the degrees by which the picture has to be "
            "turned clockwise to be upright.",
        )


def upright(load: ImageLoader, rotation: int) -> ImageLoader:
    """The loader of a picture that is turned clockwise by `rotation` degrees.

    Pixels are not copied: those of the turned picture are a view. Raises RequestError BAD_PARAMETER for degrees that
    are no quarter turns.
    """
    check_rotation(rotation)
    return partial(_load_turned, load, rotation // 90) if rotation else load


def _load_turned(load: ImageLoader, turns: int, side: int) -> Picture:
    picture = load(side)
    pixels = picture.pixels
    shrink = max(pixels.shape[:2]) // side
    if shrink > 1:  # as the letterbox that follows would, of fewer pixels whose rows are not in order
        pixels = block_means(pixels, shrink, shrink)
    width, height = picture.width, picture.height
    if turns % 2:
        width, height = height, width
    return Picture(np.rot90(pixels, -turns), width, height)
