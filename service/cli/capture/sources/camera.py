"""A camera or a live stream, as `mfn watch` reads them: the latest frame counts."""

import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from fractions import Fraction
from functools import partial
from pathlib import Path

from service.cli.capture.sources.source import Position, SourceFrame
from service.cli.capture.take import Timecode
from service.cli.capture.timecode import nearest_standard
from service.cli.video.frames import FrameReader, Frames
from service.cli.video.sources import LIVE_SCHEMES, open_frames
from service.vision.image import Picture


def is_camera(source: str) -> bool:
    """Whether it is the number of a camera, the scheme of a live stream, or a device."""
    scheme, colon, _ = source.partition("://")
    if source.isdecimal() or (colon and scheme.lower() in LIVE_SCHEMES):
        return True
    try:
        return stat.S_ISCHR(Path(source).stat().st_mode)
    except OSError:
        return False


class Camera:
    """A camera or a live stream, see Source; it is captured until the user ends it. Timestamps are seconds since 1970,
    so that a capture that goes on after an interruption has a gap there. The timecode is the time of day."""

    live = True
    expected: int | None = None
    shortage: str | None = None

    def __init__(self, source: str) -> None:
        """Raises VideoError where it cannot be opened."""
        self.name = f"camera{source}" if source.isdecimal() else "stream"
        self.identity = source
        self._frames: Frames = open_frames(source, live=True)
        self.rates: tuple[Fraction, ...] = (nearest_standard(self._frames.rate),)
        self.timecode: Timecode | None = None

    @contextmanager
    def frames(self, after: Position) -> Iterator[Iterator[SourceFrame]]:
        """See Source."""
        with closing(self._frames), FrameReader(self._frames) as reader:
            yield self._read(reader, after)

    def _read(self, reader: FrameReader, after: Position) -> Iterator[SourceFrame]:
        start = None
        for frame in reader:
            if frame is None:
                continue
            start = time.time() - frame.timestamp if start is None else start
            timestamp = start + frame.timestamp
            if timestamp <= after.timestamp:  # the clock has been set back
                continue
            height, width = frame.pixels.shape[:2]
            yield SourceFrame(timestamp, partial(_as_it_is, Picture(frame.pixels, width, height)))


def _as_it_is(picture: Picture, _: int) -> Picture:
    return picture


def time_of_day(timestamp: float, rate: Fraction) -> Timecode:
    """The timecode of a moment, seconds since 1970, by the clock where this runs."""
    moment = datetime.fromtimestamp(timestamp).astimezone()
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return Timecode(int((moment - midnight).total_seconds() * round(rate)), rate)
