"""Frames of videos and cameras, and when they are processed."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar

from service.vision.arrays import Pixels

MAX_SKIP_SECONDS: Final = 0.5  # longest part of a recording, in its own time, of which all frames are skipped
JOIN_SECONDS: Final = 1.0  # longest wait for a source's last frame before the program goes on without it
TICK_SECONDS: Final = 0.1  # longest wait for a frame before whoever waits may do something else

Result = TypeVar("Result")


@dataclass(frozen=True)
class VideoFrame:
    """A frame of a video or a camera. pixels: (h, w, 3) uint8 RGB. timestamp: seconds, above the last frame's."""

    pixels: Pixels
    timestamp: float


class VideoError(Exception):
    """A video, camera, file, window or host cannot be used; the message tells which, why and what to do."""


class Frames(Protocol):
    """The frames of a recording or of a live source. Iterating over them, once, may raise VideoError.

    rate: nominal, frames per second. live: whether frames come in real time and are lost where they are not taken.
    missing: how many frames less than announced a recording had, at its end.
    """

    rate: float
    live: bool
    missing: int

    def __iter__(self) -> Iterator[VideoFrame]: ...

    def close(self) -> None:
        """Releases the source, or ends the iteration in another thread, which then releases it."""
        ...


class FrameReader(Iterator[VideoFrame | None]):
    """Reads frames in a thread; gives None where none has come for TICK_SECONDS, so that nobody has to wait for longer.

    Of a live source it keeps the latest frame alone, so that a slow consumer lags by one frame, not by a queue. Of a
    recording it reads the next frame while the last one is processed. taken: number of frames given. dropped: number of
    frames that later ones have replaced.
    """

    def __init__(self, frames: Frames) -> None:
        self.taken = self.dropped = 0
        self._frames = frames
        self._changed = threading.Condition()
        self._frame: VideoFrame | None = None
        self._error: Exception | None = None
        self._over = False
        self._thread = threading.Thread(target=self._read, name="frames", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        """Reads the frames. The iterator is this thread's own, so that the source is released where it is read."""
        try:
            for frame in self._frames:
                with self._changed:
                    if not self._frames.live:
                        self._changed.wait_for(lambda: self._frame is None or self._over)
                    if self._over:
                        return
                    self.dropped += self._frame is not None
                    self._frame = frame
                    self._changed.notify_all()
        except Exception as error:
            self._error = error
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def __next__(self) -> VideoFrame | None:
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._over, TICK_SECONDS)
            frame, self._frame = self._frame, None
            over = self._over
            self._changed.notify_all()
        if frame is not None:
            self.taken += 1
            return frame
        if not over:
            return None
        if self._error is not None:
            raise self._error
        raise StopIteration

    @property
    def missing(self) -> int:
        """See Frames."""
        return self._frames.missing

    def close(self) -> None:
        """Ends the thread after its current frame, and releases the source."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._frames.close()
        self._thread.join(JOIN_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def in_real_time(
    frames: Iterable[VideoFrame | None],
    rate: float,
    skip: bool,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[VideoFrame | None]:
    """Yields the frames of a recording in real time, none before its time, and None every TICK_SECONDS until then.

    skip: whether frames that are late by a whole frame at `rate` frames per second are skipped, as a camera's would be;
    for MAX_SKIP_SECONDS at most, so that a machine too slow for the video still shows it. clock, sleep: in seconds.
    """
    start: float | None = None
    shown = -math.inf
    for frame in frames:
        if frame is None:
            yield None
            continue
        if start is None:
            start = clock() - frame.timestamp
        while (early := start + frame.timestamp - clock()) > TICK_SECONDS:
            sleep(TICK_SECONDS)
            yield None
        if early > 0:
            sleep(early)
        late = early < -1 / rate
        if skip and late and frame.timestamp - shown < MAX_SKIP_SECONDS:
            continue
        shown = frame.timestamp
        yield frame


def in_thread(call: Callable[[], Result]) -> Result:
    """The result of a call that may take long; made in a thread, so that Ctrl-C ends the wait for it at once."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=run, name="call", daemon=True).start()
    return future.result()
