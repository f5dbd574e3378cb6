"""What every source of frames offers."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Protocol

from service.cli.capture.take import Timecode
from service.vision.image import ImageLoader

DEFAULT_RATE: Final = Fraction(30)  # frames a second of pictures, and of films that tell none


@dataclass(frozen=True)
class SourceFrame:
    """A frame that is not converted to pixels yet. timestamp: seconds, above the last frame's. load: in any thread."""

    timestamp: float
    load: ImageLoader


@dataclass(frozen=True)
class Position:
    """How much of a source has been captured. count: frames. timestamp: of the last of them, seconds."""

    count: int = 0
    timestamp: float = float("-inf")


class Source(Protocol):
    """A film, a folder of pictures, or a camera.

    name: for files. identity: tells whether it is the same source as another day. rates: frames a second that it tells,
    the likeliest first. expected: frames, None where that is not known. live: whether it goes on until the user ends
    it, and cannot be read again. timecode: what it tells of its first frame, at rates[0], or None. shortage: once the
    frames have ended, in words what is missing of them, or None.
    """

    name: str
    identity: str
    rates: tuple[Fraction, ...]
    expected: int | None
    live: bool
    timecode: Timecode | None
    shortage: str | None

    def frames(self, after: Position) -> AbstractContextManager[Iterator[SourceFrame]]:
        """The frames after a position. Raises VideoError, also while they are read."""
        ...
