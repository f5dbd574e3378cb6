"""The layout of overlapping tiles that a picture is cut into."""

from dataclasses import dataclass
from math import ceil
from typing import Final

MAX_TILES: Final = 4  # along the longer side: at most 16 tiles, 17 inferences with the whole picture
# Least fraction of a tile's side that neighbours share. A face that is no larger lies whole in one of them; a larger
# one has at least 22 of the network's 288 pixels in the inference of the whole picture, even with MAX_TILES.
MIN_OVERLAP: Final = 0.25


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels: its top left corner x, y, its width and its height."""

    x: int
    y: int
    width: int
    height: int


def windows(width: int, height: int, count: int) -> tuple[Window, ...]:
    """The tiles, row by row, of a picture of width x height pixels with `count` tiles along its longer side.

    Tiles are squares, cut to the picture where that is narrower. Along each side there are as few as cover it when
    neighbours share at least MIN_OVERLAP, at even distances. There are none where one would cover the whole picture.
    """
    longer = max(width, height)
    side = ceil(
        longer / (1 + (count - 1) * (1 - MIN_OVERLAP))
    )  # each tile after the first adds 1 - MIN_OVERLAP of its side
    across, down = min(side, width), min(side, height)
    tiles = tuple(Window(x, y, across, down) for y in _starts(height, side) for x in _starts(width, side))
    return tiles if len(tiles) > 1 else ()


def _starts(length: int, side: int) -> list[int]:
    """Positions where tiles of `side` pixels start along `length` pixels."""
    rest = max(0, length - side)
    steps = ceil(rest / (side * (1 - MIN_OVERLAP)))
    return sorted(
        {0, *(round(rest * i / steps) for i in range(1, steps + 1))}
    )  # a set, since there may be fewer pixels than steps
