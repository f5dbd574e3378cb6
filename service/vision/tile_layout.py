"""Overlapping tiles of a picture, in which faces are larger than in the whole of it."""

from dataclasses import dataclass
from math import ceil
from typing import Final

MAX_TILES: Final = 4  # along the longer side: at most 16 tiles, which with the whole picture take 17 looks
# Of a tile's side, that neighbours have in common at least: what is no larger lies whole in one of them. What is larger
# still has 22 of the network's 288 pixels when the whole picture is looked at, even if it is cut into MAX_TILES.
OVERLAP: Final = 0.25


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels: its top left corner x, y and its size."""

    x: int
    y: int
    width: int
    height: int


def windows(width: int, height: int, count: int) -> tuple[Window, ...]:
    """The tiles, row by row, that cut the longer side of width x height pixels into `count`; none where it stays whole.

    Tiles are squares, or as high (wide) as a picture that is less high (wide) than they are. Along each side they are
    as few as cover it when neighbours share OVERLAP of them, and lie evenly.
    """
    longer = max(width, height)
    side = ceil(longer / (1 + (count - 1) * (1 - OVERLAP)))  # each tile after the first brings 1 - OVERLAP of itself
    across, down = min(side, width), min(side, height)
    tiles = tuple(Window(x, y, across, down) for y in _starts(height, side) for x in _starts(width, side))
    return tiles if len(tiles) > 1 else ()


def _starts(length: int, side: int) -> list[int]:
    """Where tiles of `side` pixels begin along a length of pixels."""
    rest = max(0, length - side)
    steps = ceil(rest / (side * (1 - OVERLAP)))
    return sorted({0, *(round(rest * i / steps) for i in range(1, steps + 1))})  # pixels are fewer than steps at times
