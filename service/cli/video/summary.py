"""Counts frames, for the line that ends `mfn watch`."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from service.cli.video.frames import FrameReader
from service.cli.video.loop import ProcessedFrame


class Summary:
    """A sink that counts frames, and at the end of its context says on stderr how many there were and how fast.

    It is silent without frames, and where the reader of stdout has gone.
    """

    def __init__(self, reader: FrameReader, clock: Callable[[], float] = time.monotonic) -> None:
        """reader: of the frames. clock: in seconds."""
        self._reader = reader
        self._clock = clock
        self._start = clock()
        self._count = 0

    def consume(self, _: ProcessedFrame) -> None:
        """Counts a frame."""
        self._count += 1

    def line(self) -> str:
        """How many frames were processed, how many came but were not, and how many a recording had less than it
        announces."""
        seconds = self._clock() - self._start
        frames = "1 frame" if self._count == 1 else f"{self._count} frames"
        dropped = self._reader.dropped + self._reader.taken - self._count
        missing = f", {self._reader.missing} that the file announces not decoded" if self._reader.missing else ""
        rate = self._count / max(seconds, 1e-3)
        return f"mfn: {frames} in {seconds:.1f} s, {rate:.1f} a second; {dropped} dropped{missing}."

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._count and kind is not BrokenPipeError:
            print(self.line(), file=sys.stderr, flush=True)
