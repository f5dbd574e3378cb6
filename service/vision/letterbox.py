"""Letterboxing: a picture of any shape in the middle of the network's square input, and coordinates between the two.

Coordinates are continuous: (0, 0) is the top left corner, the centre of pixel (i, j) is (i + 0.5, j + 0.5).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from service.vision.arrays import Array, Pixels
from service.vision.resampling import resize_into

PAD_GREY = 114  # grey level of the padding around the picture, in training too


@dataclass(frozen=True)
class Letterbox:
    """The place of a picture of width x height pixels in a square of side pixels.

    content: (width, height) of the picture in the square, whole pixels. offset: (x, y) of its top left corner there,
    pixels. scale: the square's pixels per pixel of the picture along its longer side; above 1 where the picture is
    smaller.
    """

    width: int
    height: int
    side: int
    content: tuple[int, int]
    offset: tuple[int, int]
    scale: float

    @classmethod
    def fit(cls, width: int, height: int, side: int) -> Self:
        """The letterbox that fits a picture of width x height pixels into the middle of a square of side pixels."""
        scale = side / max(width, height)
        content = (max(1, round(width * scale)), max(1, round(height * scale)))
        offset = ((side - content[0]) // 2, (side - content[1]) // 2)
        return cls(width, height, side, content, offset, scale)

    def apply(self, pixels: Pixels) -> Pixels:
        """The padded square (side, side, 3) uint8 of RGB pixels (h, w, 3): the whole picture, decoded at any size."""
        if pixels.shape == (self.side, self.side, 3):  # some clients send exactly what the network takes
            return np.ascontiguousarray(pixels)
        square = np.full((self.side, self.side, 3), PAD_GREY, np.uint8)
        x, y = self.offset
        w, h = self.content
        resize_into(square[y : y + h, x : x + w], pixels)
        return square

    def to_picture(self, points: Array) -> Array:
        """Pixels (..., 2) of the picture of points (..., 2) in the square."""
        corner, ratio = self._corner_and_ratio
        return (points - corner) * ratio

    def to_square(self, points: Array) -> Array:
        """Points (..., 2) in the square of pixels (..., 2) of the picture."""
        ratio = np.array([self.content[0] / self.width, self.content[1] / self.height], np.float32)
        return points * ratio + np.array(self.offset, np.float32)

    @cached_property
    def _corner_and_ratio(self) -> tuple[Array, Array]:
        """The offset, and the picture's pixels to a pixel of the square, (2,) float32."""
        ratio = np.array([self.width / self.content[0], self.height / self.content[1]], np.float32)
        return np.array(self.offset, np.float32), ratio
