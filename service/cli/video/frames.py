"""Frames of videos and cameras, and when they are processed."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

from service.vision.arrays import Pixels

MAX_SKIP_SECONDS: Final = 0.5  # longest part of a recording, in its own time, of which all frames are skipped
JOIN_SECONDS: Final = 2.0  # longest wait for a camera's last frame before the program goes on without it


@dataclass(frozen=True)
class VideoFrame:
    """A frame of a video or a camera. pixels: (h, w, 3) uint8 RGB. timestamp: seconds, above the last frame's."""

    pixels: Pixels
    timestamp: float


class VideoError(Exception):
    """A video, camera, file, window or host cannot be used; the message tells which, why and what to do."""


class Frames(Protocol):
    """The frames of a recording or a camera. Iterating over them may raise VideoError.

    rate: nominal, frames per second. live: whether frames come in real time and are lost where they are not taken.
    """

    rate: float
    live: bool

    def __iter__(self) -> Iterator[VideoFrame]: ...

    def close(self) -> None:
        """Releases the recording or the camera."""
        ...


class LatestFrames(Iterator[VideoFrame]):
    """The latest frame each time, read in a thread, so that a slow consumer lags by one frame, not by a queue.

    Close it before the frames themselves.
    """

    def __init__(self, frames: Iterable[VideoFrame]) -> None:
        self._changed = threading.Condition()
        self._frame: VideoFrame | None = None
        self._error: Exception | None = None
        self._over = False
        self._thread = threading.Thread(target=self._read, args=(frames,), name="camera", daemon=True)
        self._thread.start()

    def _read(self, frames: Iterable[VideoFrame]) -> None:
        """Reads the frames. Only this thread refers to them, so they are released in the thread that reads them."""
        try:
            for frame in frames:
                with self._changed:
                    if self._over:
                        return
                    self._frame = frame
                    self._changed.notify()
        except Exception as error:
            self._error = error
        finally:
            with self._changed:
                self._over = True
                self._changed.notify()

    def __next__(self) -> VideoFrame:
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._over)
            frame, self._frame = self._frame, None
        if frame is not None:
            return frame
        if self._error is not None:
            raise self._error
        raise StopIteration

    def close(self) -> None:
        """Ends the thread after its current frame."""
        with self._changed:
            self._over = True
        self._thread.join(JOIN_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def in_real_time(
    frames: Iterable[VideoFrame],
    rate: float,
    skip: bool,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[VideoFrame]:
    """Yields the frames of a recording in real time, none before its time.

    skip: whether frames that are late by a whole frame at `rate` frames per second are skipped, as a camera's would be;
    for MAX_SKIP_SECONDS at most, so that a machine too slow for the video still shows it. clock, sleep: in seconds.
    """
    start: float | None = None
    shown = -math.inf
    for frame in frames:
        now = clock()
        if start is None:
            start = now - frame.timestamp
        early = start + frame.timestamp - now
        if early > 0:
            sleep(early)
        late = early < -1 / rate
        if skip and late and frame.timestamp - shown < MAX_SKIP_SECONDS:
            continue
        shown = frame.timestamp
        yield frame
