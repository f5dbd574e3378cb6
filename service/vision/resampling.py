"""Resampling of 8-bit pixels: means of blocks, bilinear resizing, turned crops; mixes of their channels."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from PIL import Image

from service.vision import pillow_resampling
from service.vision.arrays import Pixels
from service.vision.pillow_resampling import image_of, pixels_of


class Resampler(Protocol):
    """A module that resamples: service.vision.cykooz_resampling or, on any machine, pillow_resampling."""

    def means(self, pixels: Pixels, across: int, down: int) -> Pixels:
        """As block_means."""

    def resized(self, pixels: Pixels, width: int, height: int) -> Pixels:
        """RGB pixels (height, width, 3), as resize_into writes them."""


chosen: Resampler = pillow_resampling
try:
    from service.vision import cykooz_resampling
except ImportError:  # cykooz.resizer is not made for every machine, nor tried with every Pillow
    pass
else:
    chosen = cykooz_resampling

# Least factor by which the chosen module shrinks a crop's pixels. Pillow, which transforms them in any case, shrinks by
# smaller ones: there the module saves less time than its copy of the pixels takes.
LARGE_SHRINK: Final = 4

Transform = tuple[float, float, float, float, float, float]


@contextmanager
def by_pillow() -> Iterator[None]:
    """A block, or a function, in which Pillow resamples, whatever is installed: where answers are held to the last bit
    on all machines. For programs that resample in one thread."""
    global chosen
    usual, chosen = chosen, pillow_resampling
    try:
        yield
    finally:
        chosen = usual


def block_means(pixels: Pixels, across: int, down: int) -> Pixels:
    """The mean of each block of across x down pixels (h, w, 1 to 4); blocks at the right and lower edge may be
    smaller."""
    return pixels if across == down == 1 else chosen.means(pixels, across, down)


def mixed(pixels: Pixels, matrix: tuple[float, ...]) -> Pixels:
    """The three channels of pixels (h, w, 3) as linear combinations, rounded, 0 to 255.

    matrix: 12 numbers, row by row the weights of a new channel and what is added to it.
    """
    return pixels_of(image_of(pixels).convert("RGB", matrix))


def resize_into(target: Pixels, pixels: Pixels) -> None:
    """Resizes RGB pixels (h, w, 3) to the size of a target (H, W, 3), and writes them there.

    Whole factors are averaged first, as in JPEG's own reduced sizes. The rest is below 2, and the bilinear filter is
    widened when it shrinks, so nothing aliases.
    """
    target[:] = chosen.resized(pixels, target.shape[1], target.shape[0])


def crop_into(target: Pixels, pixels: Pixels, transform: Transform, shrink: int, ground: int) -> None:
    """Writes to a target (H, W, 3) what is at places of RGB pixels (h, w, 3), bilinear between the means of blocks of
    shrink x shrink pixels; the ground, a grey level, where the place is outside.

    transform: a, b, c, d, e, f; the target's (u, v) shows (a u + b v + c, d u + e v + f). Centres of pixels are at
    halves.
    """
    if shrink < LARGE_SHRINK:
        image = image_of(pixels)
        image = image.reduce(shrink) if shrink > 1 else image
    else:
        image = image_of(chosen.means(pixels, shrink, shrink))
    a, b, c, d, e, f = (value / shrink for value in transform)
    size, method, grey = target.shape[1::-1], Image.Transform.AFFINE, (ground, ground, ground)
    target[:] = pixels_of(image.transform(size, method, (a, b, c, d, e, f), Image.Resampling.BILINEAR, fillcolor=grey))
