"""Means of blocks and bilinear resizing of 8-bit pixels by Pillow, on any machine."""

from typing import Final

import numpy as np
from PIL import Image

from service.vision.arrays import Pixels

MODES: Final = {1: "L", 3: "RGB", 4: "RGBX"}  # Pillow's, by channels; not RGBA, whose colours would be weighted by A


def image_of(pixels: Pixels) -> Image.Image:
    """Pixels (h, w, 1, 3 or 4) as Pillow's image."""
    height, width, channels = pixels.shape
    mode = MODES[channels]
    return Image.frombuffer(mode, (width, height), np.ascontiguousarray(pixels), "raw", mode, 0, 1)


def means(pixels: Pixels, across: int, down: int) -> Pixels:
    """The mean of each block of across x down pixels (h, w, 1 to 4), rounded; those at the right and lower edge may be
    smaller."""
    channels = pixels.shape[2]
    if channels == 2:  # as LA the first would be weighted by the second
        return np.concatenate([means(pixels[..., i : i + 1], across, down) for i in range(2)], axis=2)
    reduced = np.asarray(image_of(pixels).reduce((across, down)))
    return reduced.reshape(*reduced.shape[:2], channels)


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """RGB pixels (h, w, 3) as (height, width, 3): means by the whole factor, then bilinear, whose filter is as wide as
    what is left to shrink."""
    return np.asarray(image_of(pixels).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=1.0))
