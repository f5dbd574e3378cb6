"""Resampling of 8-bit pixels by Pillow: means of blocks, bilinear resizing, turned crops; mixes of their channels."""

from typing import Final

import numpy as np
from PIL import Image

from service.vision.arrays import Pixels

MODES: Final = {1: "L", 3: "RGB", 4: "RGBX"}  # Pillow's, by channels; not RGBA, whose colours would be weighted by A

Transform = tuple[float, float, float, float, float, float]


def block_means(pixels: Pixels, across: int, down: int) -> Pixels:
    """The mean of each block of across x down pixels (h, w, 1, 3 or 4); blocks at the right and lower edge may be
    smaller."""
    if across == down == 1:
        return pixels
    height, width, channels = pixels.shape
    means = np.empty((-(-height // down), -(-width // across), channels), np.uint8)
    block_means_into(means, pixels, across, down)
    return means


def block_means_into(target: Pixels, pixels: Pixels, across: int, down: int) -> None:
    """As block_means, to a target that has a pixel for each block."""
    if across == down == 1:
        for channel in range(
            pixels.shape[2]
        ):  # NumPy takes a third of the time of pixels with gaps or in another order
            target[..., channel] = pixels[..., channel]
    else:
        target[:] = np.asarray(_image(pixels).reduce((across, down))).reshape(target.shape)


def mixed(pixels: Pixels, matrix: tuple[float, ...]) -> Pixels:
    """The three channels of pixels (h, w, 3) as linear combinations, rounded, 0 to 255.

    matrix: 12 numbers, row by row the weights of a new channel and what is added to it.
    """
    return np.asarray(_image(pixels).convert("RGB", matrix))


def resize_into(target: Pixels, pixels: Pixels) -> None:
    """Resizes RGB pixels (h, w, 3) to the size of a target (H, W, 3), and writes them there.

    Whole factors are averaged first, as in JPEG's own reduced sizes. The rest is below 2, and Pillow widens its
    bilinear filter when it shrinks, so nothing aliases.
    """
    size, method = target.shape[1::-1], Image.Resampling.BILINEAR
    target[:] = np.asarray(_image(pixels).resize(size, method, reducing_gap=1.0))


def crop_into(target: Pixels, pixels: Pixels, transform: Transform, ground: int) -> None:
    """Writes to a target (H, W, 3) what is at places of RGB pixels (h, w, 3), bilinear; the ground, a grey level, where
    the place is outside.

    transform: a, b, c, d, e, f; the target's (u, v) shows (a u + b v + c, d u + e v + f). Centres of pixels are at
    halves.
    """
    size, method, grey = target.shape[1::-1], Image.Transform.AFFINE, (ground, ground, ground)
    crop = _image(pixels).transform(size, method, transform, Image.Resampling.BILINEAR, fillcolor=grey)
    target[:] = np.asarray(crop)


def _image(pixels: Pixels) -> Image.Image:
    """The pixels as Pillow's image."""
    height, width, channels = pixels.shape
    mode = MODES[channels]
    return Image.frombuffer(mode, (width, height), np.ascontiguousarray(pixels), "raw", mode, 0, 1)
