"""The functions of the compiled module.

Pixels are arrays (height, width, channels) of uint8. The channels of a pixel follow each other, and at most four bytes
lead to the next pixel; the stride from row to row may be anything.
"""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Transform = tuple[float, float, float, float, float, float]

def block_means(source: Pixels, target: Pixels, across: int, down: int, /) -> None:
    """Writes the mean of each block of across x down pixels, smaller ones at the right and lower edge.

    source, target: of 1 to 4 channels. down: at most 257. Raises ValueError where they do not fit together.
    """

def mix(source: Pixels, target: Pixels, matrix: tuple[float, ...], /) -> None:
    """Writes linear combinations of three channels, rounded, 0 to 255. The target may be the source.

    matrix: 12 numbers, the weights of each of the target's channels and what is added. Raises ValueError unless they
    are finite.
    """

def resize(source: Pixels, target: Pixels, width: float, height: float, /) -> None:
    """Resizes RGB without gaps to the target's size; bilinear, and the filter widens where that shrinks.

    width, height: of the source, pixels; may end within its last pixel. Raises ValueError where they do not.
    """

def crop(source: Pixels, target: Pixels, transform: Transform, /) -> None:
    """Writes RGB without gaps, found at places of the source: bilinear. What would show a place outside stays as it is.

    transform: a, b, c, d, e, f; the target's (u, v) shows the source's (a u + b v + c, d u + e v + f); centres of
    pixels are at halves. Raises ValueError unless it is finite.
    """
