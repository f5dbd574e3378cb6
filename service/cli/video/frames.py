"""Frames and their times, wherever they come from."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

from service.vision.arrays import Pixels

LONGEST_GAP_SECONDS: Final = 0.5  # of a recording's own time, that frames are left out for
PATIENCE_SECONDS: Final = 2.0  # that a camera gets to give its last frame before the program goes on without it


@dataclass(frozen=True)
class VideoFrame:
    """pixels: (h, w, 3) uint8 RGB. timestamp: seconds, above the last frame's."""

    pixels: Pixels
    timestamp: float


class VideoError(Exception):
    """A video, a camera, a file, a window or a host that cannot be used; the message says which, why and what to do."""


class Frames(Protocol):
    """A recording or a camera. Iterating over it may raise VideoError.

    rate: frames a second, as it says. live: frames come when they come, and are lost where nobody takes them.
    """

    rate: float
    live: bool

    def __iter__(self) -> Iterator[VideoFrame]: ...

    def close(self) -> None: ...


class Latest(Iterator[VideoFrame]):
    """The newest frame each time, read in a thread: what a slow reader sees is late by one frame, not by a queue.

    To be closed before the frames themselves are.
    """

    def __init__(self, frames: Iterable[VideoFrame]) -> None:
        self._changed = threading.Condition()
        self._frame: VideoFrame | None = None
        self._error: Exception | None = None
        self._over = False
        self._thread = threading.Thread(target=self._read, args=(frames,), name="camera", daemon=True)
        self._thread.start()

    def _read(self, frames: Iterable[VideoFrame]) -> None:
        """In the thread, which alone holds on to the frames: they are let go where they are read."""
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
        with self._changed:
            self._over = True
        self._thread.join(PATIENCE_SECONDS)

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
    """Frames of a recording, none before its time.

    skip: those that are late by a whole frame at `rate` frames a second are left out, as a camera's would be, but never
    for long, so that a machine too slow for the video still shows it.
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
        if skip and late and frame.timestamp - shown < LONGEST_GAP_SECONDS:
            continue
        shown = frame.timestamp
        yield frame
