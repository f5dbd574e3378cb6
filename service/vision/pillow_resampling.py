"""Means of blocks and bilinear resizing of 8-bit pixels by Pillow, on any machine."""

from typing import Final

import numpy as np
from PIL import Image

from service.vision.arrays import Pixels, without_gaps

MODES: Final = {1: "L", 3: "RGB", 4: "RGBX"}  # Pillow's, by channels; not RGBA, whose colours would be weighted by A


def image_of(pixels: Pixels) -> Image.Image:
    """Pixels (h, w, 1, 3 or 4) as Pillow's image."""
    height, width, channels = pixels.shape
    mode = MODES[channels]
    return Image.frombuffer(mode, (width, height), without_gaps(pixels), "raw", mode, 0, 1)


def pixels_of(image: Image.Image) -> Pixels:
    """The pixels (h, w, 1, 3 or 4) of Pillow's image; in half the time of np.asarray where they are few."""
    return np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width, -1)


def means(pixels: Pixels, across: int, down: int) -> Pixels:
    """The mean of each block of across x down pixels (h, w, 1 to 4), rounded; those at the right and lower edge may be
    smaller."""
    if pixels.shape[2] == 2:  # as LA the first would be weighted by the second
        return np.concatenate([means(pixels[..., i : i + 1], across, down) for i in range(2)], axis=2)
    return pixels_of(image_of(pixels).reduce((across, down)))


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """RGB pixels (h, w, 3) as (height, width, 3): means by the whole factor, then bilinear, whose filter is as wide as
    what is left to shrink."""
    return pixels_of(image_of(pixels).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=1.0))
