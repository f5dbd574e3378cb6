"""Resampling of 8-bit pixels: means of blocks, bilinear resizing, turned crops; mixes of their channels."""

import numpy as np
from PIL import Image

from service.vision.arrays import Pixels
from service.vision.pillow_resampling import image_of

try:
    from service.vision.vector_resampling import means, resized
except ImportError:  # cykooz.resizer is not made for every machine, nor tried with every Pillow
    from service.vision.pillow_resampling import means, resized

Transform = tuple[float, float, float, float, float, float]


def block_means(pixels: Pixels, across: int, down: int) -> Pixels:
    """The mean of each block of across x down pixels (h, w, 1 to 4); blocks at the right and lower edge may be
    smaller."""
    return pixels if across == down == 1 else means(pixels, across, down)


def mixed(pixels: Pixels, matrix: tuple[float, ...]) -> Pixels:
    """The three channels of pixels (h, w, 3) as linear combinations, rounded, 0 to 255.

    matrix: 12 numbers, row by row the weights of a new channel and what is added to it.
    """
    return np.asarray(image_of(pixels).convert("RGB", matrix))


def resize_into(target: Pixels, pixels: Pixels) -> None:
    """Resizes RGB pixels (h, w, 3) to the size of a target (H, W, 3), and writes them there.

    Whole factors are averaged first, as in JPEG's own reduced sizes. The rest is below 2, and the bilinear filter is
    widened when it shrinks, so nothing aliases.
    """
    target[:] = resized(pixels, target.shape[1], target.shape[0])


def crop_into(target: Pixels, pixels: Pixels, transform: Transform, ground: int) -> None:
    """Writes to a target (H, W, 3) what is at places of RGB pixels (h, w, 3), bilinear; the ground, a grey level, where
    the place is outside.

    transform: a, b, c, d, e, f; the target's (u, v) shows (a u + b v + c, d u + e v + f). Centres of pixels are at
    halves.
    """
    size, method, grey = target.shape[1::-1], Image.Transform.AFFINE, (ground, ground, ground)
    crop = image_of(pixels).transform(size, method, transform, Image.Resampling.BILINEAR, fillcolor=grey)
    target[:] = np.asarray(crop)
