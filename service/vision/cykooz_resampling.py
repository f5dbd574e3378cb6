"""Means of blocks and bilinear resizing of 8-bit pixels by cykooz.resizer, with the processor's vector instructions.

Their results are those of service.vision.pillow_resampling, give or take 2 grey levels, in a third of its time. A
Resizer is made for each call: it costs little, and one that threads share would let them work one at a time. It starts
no threads, and other threads of Python go on while it works.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from cykooz_resizer import CropBox, FilterType, ImageData, PixelType, ResizeAlg, ResizeOptions, Resizer
from PIL import Image
from PIL import __version__ as pillow_version

from service.vision import pillow_resampling
from service.vision.arrays import Pixels, without_gaps

# It reads rows where this version of Pillow has them in memory; another one may have them elsewhere.
PILLOW_VERSION: Final = "13"
if pillow_version.split(".")[0] != PILLOW_VERSION:
    raise ImportError(
        f"cykooz.resizer is used with Pillow {PILLOW_VERSION}, not {pillow_version}: try it, then allow it here"
    )

TYPES: Final = (PixelType.U8, PixelType.U8x2, PixelType.U8x3, PixelType.U8x4)  # by channels, from 1 on
BOX: Final = ResizeAlg.convolution(FilterType.box)
BILINEAR: Final = ResizeAlg.convolution(FilterType.bilinear)
MEANS: Final = ResizeOptions(BOX, use_alpha=False)


def means(pixels: Pixels, across: int, down: int) -> Pixels:
    """The mean of each block of across x down pixels (h, w, 1 to 4), rounded first down, then across; blocks at the
    right and lower edge may be smaller."""
    if across == down == 1:
        return pixels
    if down == 1 or len(pixels) < 2 * down:  # as of a picture of one row: most of it would be copied, twice
        return pillow_resampling.means(pixels, across, down)
    return _means_across(_means_down(pixels, down), across)


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """RGB pixels (h, w, 3) as (height, width, 3): means by the whole factors, then bilinear, with a filter as wide as
    what is left to shrink."""
    rows, columns = pixels.shape[:2]
    across, down = max(1, columns // width), max(1, rows // height)
    # The picture may end inside the last blocks.
    return _resized(means(pixels, across, down), width, height, _bilinear(columns / across, rows / down))


@lru_cache(maxsize=16)  # making them takes as long as resizing some rows
def _bilinear(width: float, height: float) -> ResizeOptions:
    """Bilinear resizing of what is left of `width` and above `height`, pixels."""
    return ResizeOptions(BILINEAR, use_alpha=False, crop_box=CropBox(0, 0, width, height))


def _means_down(pixels: Pixels, down: int) -> Pixels:
    """Means of blocks of one column. They are those of a grey picture of all samples, so that RGB needs no copy."""
    rows, columns, channels = pixels.shape
    samples = without_gaps(pixels).reshape(rows, columns * channels)
    blocks = np.empty((-(-rows // down), columns * channels), np.uint8)
    whole = rows // down
    for source, target in ((samples[: whole * down], blocks[:whole]), (samples[whole * down :], blocks[whole:])):
        if len(target):
            Resizer().resize_pil(_grey(source), _grey(target), MEANS)
    return blocks.reshape(-1, columns, channels)


def _grey(samples: Pixels) -> Image.Image:
    """Samples (h, w) as Pillow's grey image, in the same memory."""
    height, width = samples.shape
    return Image.frombuffer("L", (width, height), samples, "raw", "L", 0, 1)


def _means_across(pixels: Pixels, across: int) -> Pixels:
    """Means of blocks of one row."""
    if across == 1:
        return pixels
    rows, columns = pixels.shape[:2]
    whole = columns // across
    parts = ((pixels[:, : whole * across], whole), (pixels[:, whole * across :], 1))
    blocks = [_resized(part, count, rows, MEANS) for part, count in parts if part.size]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)


def _resized(pixels: Pixels, width: int, height: int, options: ResizeOptions) -> Pixels:
    rows, columns, channels = pixels.shape
    kind = TYPES[channels - 1]
    target = ImageData(width, height, kind)
    Resizer().resize(ImageData(columns, rows, kind, without_gaps(pixels).tobytes()), target, options)
    return np.frombuffer(target.get_buffer(), np.uint8).reshape(height, width, channels)
