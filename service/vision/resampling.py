"""Resampling of 8-bit pixels: means of blocks, bilinear resizing, turned crops; and linear mixes of their channels.

Where the package mfn-retarget-pixels is installed its compiled functions do it. Elsewhere Pillow does, which gives the
same bytes and takes four times as long or more: it converts each picture to a layout of its own first, and back.
"""

from typing import Final

import numpy as np
from PIL import Image

from service.vision.arrays import Pixels

try:
    import mfn_pixels
except ImportError:
    COMPILED = False
else:
    COMPILED = True

MAX_BLOCK_HEIGHT: Final = 257  # rows that mfn_pixels can add; only a picture of one or two columns has higher blocks
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
        _copy(target, pixels)
    elif COMPILED and down <= MAX_BLOCK_HEIGHT:
        mfn_pixels.block_means(pixels if _has_steps(pixels) else _copied(pixels), target, across, down)
    else:
        target[:] = np.asarray(_image(pixels).reduce((across, down))).reshape(target.shape)


def mixed(pixels: Pixels, matrix: tuple[float, ...]) -> Pixels:
    """The three channels of pixels (h, w, 3), which may be overwritten, as linear combinations, rounded, 0 to 255.

    matrix: 12 numbers, row by row the weights of a new channel and what is added to it.
    """
    if not COMPILED:
        return np.asarray(_image(pixels).convert("RGB", matrix))
    mfn_pixels.mix(pixels, pixels, matrix)
    return pixels


def resize_into(target: Pixels, pixels: Pixels) -> None:
    """Resizes RGB pixels (h, w, 3) to the size of a target (H, W, 3), and writes them there.

    Whole factors are averaged first, as in JPEG's own reduced sizes. The rest is below 2 and bilinear, by a filter that
    widens where it shrinks, so nothing aliases.
    """
    height, width = target.shape[:2]
    if not COMPILED:
        resized = _image(pixels).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=1.0)
        target[:] = np.asarray(resized)
        return
    across, down = max(1, pixels.shape[1] // width), max(1, pixels.shape[0] // height)
    mfn_pixels.resize(
        _in_rows(block_means(pixels, across, down)), target, pixels.shape[1] / across, pixels.shape[0] / down
    )


def crop_into(target: Pixels, pixels: Pixels, transform: Transform, ground: int) -> None:
    """Writes to a target (H, W, 3) what is at places of RGB pixels (h, w, 3), bilinear; the ground, a grey level, where
    the place is outside.

    transform: a, b, c, d, e, f; the target's (u, v) shows (a u + b v + c, d u + e v + f). Centres of pixels are at
    halves.
    """
    if COMPILED:
        target[:] = ground
        mfn_pixels.crop(_in_rows(pixels), target, transform)
        return
    size, method, grey = target.shape[1::-1], Image.Transform.AFFINE, (ground, ground, ground)
    crop = _image(pixels).transform(size, method, transform, Image.Resampling.BILINEAR, fillcolor=grey)
    target[:] = np.asarray(crop)


def _in_rows(pixels: Pixels) -> Pixels:
    """The pixels, or a copy where there are gaps in a row."""
    return pixels if pixels[:1].flags.c_contiguous else _copied(pixels)


def _has_steps(pixels: Pixels) -> bool:
    """Whether the channels of a pixel follow each other, and at most four bytes lead to the next pixel."""
    (_, width, channels), (_, step, next_channel) = pixels.shape, pixels.strides
    return (channels == 1 or next_channel == 1) and (width == 1 or channels <= step <= 4)


def _copied(pixels: Pixels) -> Pixels:
    """A copy of the pixels without gaps."""
    copy = np.empty(pixels.shape, np.uint8)
    _copy(copy, pixels)
    return copy


def _copy(target: Pixels, pixels: Pixels) -> None:
    """Copies channel by channel, which takes NumPy a third of the time of pixels with gaps or in another order."""
    for channel in range(pixels.shape[2]):
        target[..., channel] = pixels[..., channel]


def _image(pixels: Pixels) -> Image.Image:
    """The pixels as Pillow's image."""
    height, width, channels = pixels.shape
    mode = MODES[channels]
    return Image.frombuffer(mode, (width, height), np.ascontiguousarray(pixels), "raw", mode, 0, 1)
