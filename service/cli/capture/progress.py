"""How far a capture is, on the terminal."""

import sys
import time
from collections.abc import Callable
from typing import Final, TextIO

WIDTH: Final = 24  # characters of the bar
PAUSE: Final = 0.2  # seconds between two updates


class Progress:
    """A line that is written over: a bar, frames, speed, time left. It is silent where nobody sees a terminal."""

    def __init__(
        self,
        expected: int | None,
        rate: float,
        done: int = 0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """expected: frames in all, None where that is not known. rate: frames a second of the film. done: frames that
        an earlier run has captured. clock: in seconds."""
        self._expected, self._rate, self._first = expected, rate, done
        self._stream = stream or sys.stderr
        self._clock, self._start, self._shown = clock, clock(), -PAUSE
        self._done = done

    def step(self) -> None:
        """Counts a frame."""
        self._done += 1
        now = self._clock()
        if self._stream.isatty() and now - self._shown >= PAUSE:
            self._shown = now
            self._stream.write(f"\r{self.line()}\x1b[K")  # which clears what a longer line has left
            self._stream.flush()

    def line(self) -> str:
        """The line, as in `[######      ]  25 %  1350/5400 frames  3.1 x real time  0:01:21 left`."""
        new, seconds = self._done - self._first, max(self._clock() - self._start, 1e-3)
        speed = f"{new / seconds / self._rate:.1f} x real time"
        if not self._expected:
            return f"{self._done} frames  {speed}"
        share = min(self._done / self._expected, 1.0)
        bar = "#" * round(WIDTH * share)
        left = max(self._expected - self._done, 0) * seconds / max(new, 1)
        return f"[{bar:{WIDTH}}] {share:4.0%}  {self._done}/{self._expected} frames  {speed}  {_clock_text(left)} left"

    def end(self) -> None:
        """Clears the line, so that what follows begins at the left."""
        if self._stream.isatty():
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def summary(self) -> str:
        """How many frames were captured in this run, and how fast."""
        new, seconds = self._done - self._first, max(self._clock() - self._start, 1e-3)
        return f"{new} frame{'' if new == 1 else 's'} in {seconds:.1f} s, {new / seconds / self._rate:.1f} x real time"


def _clock_text(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
