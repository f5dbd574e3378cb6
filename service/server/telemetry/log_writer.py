"""Writes log lines in a thread of its own, so that a reader that stalls stops neither the event loop nor a worker.

A full pipe blocks whoever writes to it. Here only the thread is blocked: lines wait for it up to a limit, and those
beyond it are dropped and counted.
"""

import logging
import os
import select
import threading
from collections.abc import Callable
from typing import Final

MOST_WAITING: Final = 2**22  # bytes of lines; a request has some 250
STANDARD_ERROR: Final = 2  # file descriptor
CLOSE_SECONDS: Final = 1.0  # longest time for what waits when the server ends
LOGGER_NAME: Final = "mfn.logs"


class LogWriter(logging.Handler):
    """A log handler that writes lines to a file descriptor, in their order, and never blocks those who log."""

    def __init__(self, descriptor: int) -> None:
        """descriptor: stays open."""
        super().__init__()
        self.on_drop: Callable[[], None] = lambda: None  # called for each line that is dropped
        self._descriptor = descriptor
        self._waiting: list[bytes] = []
        self._bytes = 0  # of the waiting lines
        self._dropped = 0  # lines after those
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Formats a record and lets it wait for the thread; drops it where too much waits already."""
        try:
            line = self._line(record)
        except Exception:
            self.handleError(record)
            return
        with self._changed:
            fits = not self._dropped and self._bytes + len(line) <= MOST_WAITING
            if fits:
                self._waiting.append(line)
                self._bytes += len(line)
                self._changed.notify()
            else:
                self._dropped += 1
        if not fits:
            self.on_drop()

    def close(self) -> None:
        """Waits until what has been logged is written, at most CLOSE_SECONDS."""
        super().close()
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)

    def _line(self, record: logging.LogRecord) -> bytes:
        return (self.format(record) + "\n").encode(errors="backslashreplace")

    def _write(self) -> None:
        while lines := self._take():
            write_all(self._descriptor, b"".join(lines))

    def _take(self) -> list[bytes]:
        """Waits for lines and takes all of them; none once it is closed and all are written."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            lines, self._waiting, self._bytes = self._waiting, [], 0
            dropped, self._dropped = self._dropped, 0
        if dropped:
            lines.append(self._line(_record_of_dropped(dropped)))
        return lines


def _record_of_dropped(count: int) -> logging.LogRecord:
    message = "Dropped %d log lines: those before them were not read in time"
    return logging.LogRecord(LOGGER_NAME, logging.WARNING, __file__, 0, message, (count,), None)


def write_all(descriptor: int, data: bytes) -> None:
    """Writes all bytes, however long that takes. Drops them where nobody can read them any more."""
    try:
        while data:
            select.select([], [descriptor], [])  # where the descriptor is not a blocking one
            data = data[os.write(descriptor, data) :]
    except OSError:
        pass


def write_at_once(descriptor: int, line: bytes) -> None:
    """Writes a short line where that takes no time; drops it otherwise."""
    if select.select([], [descriptor], [], 0)[1]:
        os.write(descriptor, line)
