"""Frames in blocks: what is computed of a film's frames for a moment only is in memory for a block at a time."""

from collections.abc import Iterator
from typing import Final

FRAMES: Final = 1024  # of a block; as JSON types, which take the most, 10 MB


def blocks(count: int, size: int = FRAMES) -> Iterator[slice]:
    """Frames 0 to `count` in blocks of up to `size`."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
