"""Films, read by FFmpeg's libraries through PyAV: it tells each frame's time, how a film is rotated, its timecode, and
where a file is cut short, which OpenCV hides."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import partial
from importlib import import_module
from os.path import realpath
from pathlib import Path
from threading import local
from typing import Any, Final

import numpy as np

from service.cli.capture.sources.source import DEFAULT_RATE, Position, SourceFrame
from service.cli.capture.take import Timecode
from service.cli.capture.timecode import parse_timecode
from service.cli.packages import pip_install
from service.cli.video.frames import VideoError
from service.vision.image import Picture

# Conversion to RGB at full size is as fast as scaling to a third: less is not worth a second conversion, see LazyImage.
MIN_SHRINK: Final = 3
UNSPECIFIED: Final = 2  # FFmpeg's AVCOL_SPC_UNSPECIFIED
HD_HEIGHT: Final = 720  # pixels, from which on films without a colour matrix have that of BT.709, below of BT.601
SEEK_SECONDS: Final = 1.0  # before the last captured frame, since frames are not stored in the order of their times
WHOLE: Final = 0.98  # of the length that a file tells; a film that ends before is cut short
DURATION: Final = re.compile(r"(\d+):(\d\d):(\d\d\.\d+)")
# Ticks a second of WebM and FLV. Of frames that are not even, as browsers record them, FFmpeg gives it as the rate.
CLOCK: Final = 1000
MIN_MISSING_SECONDS: Final = 0.5  # sound may go on a little longer than the picture


def load_av() -> Any:
    """Imports the module av. Raises VideoError where it is not installed."""
    try:
        return import_module("av")
    except ImportError as error:
        raise VideoError(
            f"Reading a film needs PyAV, which cannot be loaded ({error}). Install it: {pip_install('av')}"
        ) from error


class FilmFile:
    """A film in a file or at an address, see Source. size: width and height in pixels, as shown."""

    live = False

    def __init__(self, source: str) -> None:
        """Raises VideoError where it cannot be opened or has no pictures."""
        self._av, self._source = load_av(), source
        self._errors = (self._av.FFmpegError, OSError, ValueError)
        self.name = Path(source).stem or source
        self.identity = _identity(source)
        self.shortage: str | None = None
        self._converters = local()  # each thread's, since FFmpeg's keep what they have prepared for a size
        with self._opened() as (container, stream):
            self.rates = _rates(stream)
            self._time_base = _fraction(stream.time_base) or Fraction(1, 1000)
            self._length = _length(container, stream, self._time_base)
            self.expected = stream.frames or (round(self._length * self.rates[0]) if self._length else None)
            self._aspect = _fraction(stream.sample_aspect_ratio) or Fraction(1)
            self.timecode = _timecode(container, self.rates[0])

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, Any]]:
        """The container and its stream of pictures. Raises VideoError."""
        try:
            container = self._av.open(self._source)
        except self._errors as error:
            raise VideoError(_cannot_open(self._source, error)) from error
        with container:
            covers = self._av.stream.Disposition.attached_pic
            streams = [stream for stream in container.streams.video if not stream.disposition & covers]
            if not streams:
                raise VideoError(f"{self._source} has no pictures, only sound. Give a film that shows faces.")
            stream = max(streams, key=lambda stream: bool(stream.disposition & self._av.stream.Disposition.default))
            stream.thread_type = "AUTO"  # decodes in all cores
            yield container, stream

    @contextmanager
    def frames(self, after: Position) -> Iterator[Iterator[SourceFrame]]:
        """See Source."""
        with self._opened() as (container, stream):
            yield self._read(container, stream, after)

    def _read(self, container: Any, stream: Any, after: Position) -> Iterator[SourceFrame]:
        last, count = -math.inf, 0
        size: tuple[int, int] | None = None
        seeking = after.count > 0 and self._seek(container, stream, after)
        for frame in self._decoded(container, stream):
            timestamp = last + 1 / self.rates[0] if frame.pts is None else float(frame.pts * self._time_base)
            if not timestamp > last:  # of a damaged film, or one without times
                timestamp = 0.0 if last == -math.inf else last + float(1 / self.rates[0])
            last, count = timestamp, count + 1
            if size is None:
                size = self._shown(frame)
            if (timestamp <= after.timestamp) if seeking else (count <= after.count):
                continue
            yield SourceFrame(timestamp, partial(self._load, frame, size))
        if not count:
            raise VideoError(f"{self._source}: not one frame can be decoded. Give a film that plays elsewhere.")

    def _seek(self, container: Any, stream: Any, after: Position) -> bool:
        """Whether it could seek to shortly before a position. Where it could not, it reads from the beginning."""
        target = math.floor((after.timestamp - SEEK_SECONDS) / self._time_base)
        with suppress(*self._errors):
            container.seek(target, stream=stream)
            return True
        return False

    def _decoded(self, container: Any, stream: Any) -> Iterator[Any]:
        """The frames that can be decoded; tells afterwards what is missing."""
        damaged, end, number = 0, -math.inf, 0
        packets = container.demux(stream)
        broken = False
        while not broken:
            try:
                packet = next(packets, None)
            except self._errors:  # as where a file is cut within a frame
                broken, packet = True, None
            if packet is None and not broken:
                break
            try:
                frames = stream.decode(packet)
            except self._errors:
                damaged += 1
                continue
            for frame in frames:
                number += 1
                if frame.pts is not None:
                    end = max(end, float((frame.pts - (stream.start_time or 0)) * self._time_base))
                yield frame
        self.shortage = self._missing(end, damaged)

    def _missing(self, end: float, damaged: int) -> str | None:
        """What is missing of a film whose last frame is at `end` seconds, in words."""
        frame = float(1 / self.rates[0])
        if self._length and end + frame < min(WHOLE * self._length, self._length - MIN_MISSING_SECONDS):
            return (
                f"The film breaks off at {end + frame:.1f} s; it announces {self._length:.1f} s, of which the rest is "
                "missing or cannot be decoded."
            )
        if damaged:
            return f"{damaged} frames of the film are damaged and were passed over."
        return None

    def _shown(self, frame: Any) -> tuple[int, int]:
        """Width and height in pixels, as shown: with square pixels, and upright."""
        width, height = max(1, round(frame.width * self._aspect)), frame.height
        return (height, width) if frame.rotation % 180 else (width, height)

    def _load(self, frame: Any, size: tuple[int, int], side: int) -> Picture:
        """A frame with at least `side` pixels along its longer side, or all that it has, as one of `size`."""
        shrink = max(frame.width, frame.height) // side
        shrink = shrink if shrink >= MIN_SHRINK else 1
        if not hasattr(self._converters, "mine"):
            self._converters.mine = self._av.video.reformatter.VideoReformatter()
        untold = frame.colorspace == UNSPECIFIED and frame.height >= HD_HEIGHT
        converted = self._converters.mine.reformat(
            frame,
            max(1, frame.width // shrink),
            max(1, frame.height // shrink),
            "rgb24",
            src_colorspace="ITU709" if untold else None,
            interpolation="AREA" if shrink > 1 else "BILINEAR",
            threads=1,  # others convert other frames
        )
        pixels = np.rot90(converted.to_ndarray(), frame.rotation // 90)
        return Picture(np.ascontiguousarray(pixels), *size)


def _fraction(ratio: Any) -> Fraction | None:
    """A ratio of PyAV's, which is None or 0/1 where it is not known."""
    return Fraction(ratio.numerator, ratio.denominator) if ratio and ratio.denominator else None


def _rates(stream: Any) -> tuple[Fraction, ...]:
    """The frame rates that a film tells, in frames a second; 30 where it tells none."""
    told = (_fraction(rate) for rate in (stream.guessed_rate, stream.average_rate, stream.base_rate))
    return (*dict.fromkeys(rate for rate in told if rate is not None and 1 <= rate < CLOCK),) or (DEFAULT_RATE,)


def _length(container: Any, stream: Any, time_base: Fraction) -> float:
    """The length in seconds that a film announces, 0 where it tells none."""
    if stream.duration:
        return float(stream.duration * time_base)
    # Matroska tells when its last frame ends, which may begin late, as where it is a piece of a longer film.
    start = float((stream.start_time or 0) * time_base) if "matroska" in container.format.name else 0.0
    if match := DURATION.fullmatch(stream.metadata.get("DURATION", "")):
        return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3]) - start
    return container.duration / 1e6 - start if container.duration else 0.0


def _timecode(container: Any, rate: Fraction) -> Timecode | None:
    """The timecode of a film's first frame, which a track of it, the pictures or the file may tell."""
    tagged = (container, *container.streams)
    texts = [part.metadata["timecode"] for part in tagged if "timecode" in part.metadata]
    return next((code for text in texts if (code := parse_timecode(text, rate)) is not None), None)


def _identity(source: str) -> str:
    try:
        stat = Path(source).stat()
    except OSError:
        return source
    return f"{realpath(source)} {stat.st_size} {stat.st_mtime_ns}"


def _cannot_open(source: str, error: Exception) -> str:
    try:
        Path(source).stat()
    except OSError as missing:
        return f"{source}: {missing.strerror}. Give a film, a folder of pictures, or the number of a camera, from 0."
    reason = getattr(error, "strerror", None) or error
    return (
        f"{source} cannot be read as a film ({reason}): it is none, or its end, which some films need, is missing. "
        "Give a film that plays elsewhere."
    )
