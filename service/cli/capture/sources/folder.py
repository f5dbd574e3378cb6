"""A folder of pictures, each a frame, in the order of the numbers in their names."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Final

from service.cli.capture.sources.source import DEFAULT_RATE, Position, SourceFrame
from service.cli.capture.take import Timecode
from service.cli.video.frames import VideoError
from service.errors import RequestError
from service.vision.image import Picture, decode

ENDINGS: Final = {".jpg", ".jpeg", ".png", ".webp", ".avif"}
MAX_MEGAPIXELS: Final = 200.0  # of a picture; they are the user's own


class PictureFolder:
    """A folder of pictures, see Source."""

    live = False
    timecode: Timecode | None = None
    shortage: str | None = None

    def __init__(self, folder: Path, rate: Fraction = DEFAULT_RATE) -> None:
        """rate: frames a second. Raises VideoError where the folder holds no pictures or cannot be read."""
        try:
            files = [file for file in folder.iterdir() if file.suffix.lower() in ENDINGS]
        except OSError as error:
            raise VideoError(f"{folder}: {error.strerror}.") from error
        if not files:
            raise VideoError(
                f"{folder} holds no pictures. Expected files that end in {', '.join(sorted(ENDINGS))}, a frame each."
            )
        self._files = sorted(files, key=_in_order)
        self.name = folder.resolve().name
        self.identity = f"{folder.resolve()} {len(files)} {rate}"
        self.expected: int | None = len(files)
        self.rates: tuple[Fraction, ...] = (rate,)
        first = _load(self._files[0], 1)
        self._size = first.width, first.height

    @contextmanager
    def frames(self, after: Position) -> Iterator[Iterator[SourceFrame]]:
        """See Source."""
        rate = float(self.rates[0])
        yield (
            SourceFrame(index / rate, partial(self._load, file))
            for index, file in enumerate(self._files)
            if index >= after.count
        )

    def _load(self, file: Path, side: int) -> Picture:
        picture = _load(file, side)
        if (picture.width, picture.height) != self._size:
            raise VideoError(
                f"{file} has {picture.width} x {picture.height} pixels, the first picture {self._size[0]} x "
                f"{self._size[1]}. Give pictures of one size."
            )
        return picture


def _load(file: Path, side: int) -> Picture:
    try:
        return decode(file.read_bytes(), side, MAX_MEGAPIXELS)
    except RequestError as error:
        raise VideoError(f"{file}: {error}") from error
    except OSError as error:
        raise VideoError(f"{file}: {error.strerror}.") from error


def _in_order(file: Path) -> list[tuple[int, str]]:
    """Compares names as people count: shot2 comes before shot10."""
    parts = re.split(r"(\d+)", file.name)
    return [(int(part), "") if part.isdecimal() else (-1, part.casefold()) for part in parts]
