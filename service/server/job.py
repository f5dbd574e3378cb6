"""A call that another thread makes, and what became of it."""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Generic, TypeVar

T = TypeVar("T")


class Job(Generic[T]):
    """A call to be made once, by whichever thread calls `run`.

    It has the part of concurrent.futures.Future that is used here, in a fifth of its time: that one makes a condition,
    and takes its lock, for each step.
    """

    __slots__ = ("_call", "_callbacks", "_cancelled", "_done", "_error", "_lock", "_result")

    def __init__(self, call: Callable[[], T]) -> None:
        self._call: Callable[[], T] | None = call  # None once it has been begun, or never will be
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[Job[T]], object]] = []
        self._cancelled = self._done = False
        self._result: T
        self._error: BaseException | None = None

    def run(self) -> None:
        """Makes the call, unless the job was cancelled. What the call raises becomes the job's error."""
        call = self._take()
        if call is None:
            return
        try:
            self._result = call()
        except BaseException as error:
            self._error = error
        del call  # so that no picture is kept while others are told
        self._end()
        del self  # an error holds this frame, which would hold the error by it, until the garbage collector comes

    def cancel(self) -> bool:
        """Keeps the call from being made. Returns False where it has been begun."""
        if self._take() is None:
            return self._cancelled
        self._cancelled = True
        self._end()
        return True

    def cancelled(self) -> bool:
        """Whether the call was kept from being made."""
        return self._cancelled

    def done(self) -> bool:
        """Whether the call has returned or raised, or never will be made."""
        return self._done

    def add_done_callback(self, callback: Callable[["Job[T]"], object]) -> None:
        """Has `callback` called with the job once it is done, in the thread that ends it; at once where it is done."""
        with self._lock:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback(self)

    def exception(self) -> BaseException | None:
        """What the call of a job that is done has raised; None where it has returned."""
        return self._error

    def result(self, seconds: float | None = None) -> T:
        """What the call returned, or its error raised. Waits for the job; raises TimeoutError after `seconds`.

        Raises CancelledError where the job was cancelled.
        """
        if not self._done:
            ended = threading.Event()
            self.add_done_callback(lambda _: ended.set())
            if not ended.wait(seconds):
                raise TimeoutError
        if self._cancelled:
            raise CancelledError
        if self._error is not None:
            try:
                raise self._error
            finally:
                del self  # as in run
        return self._result

    def _take(self) -> Callable[[], T] | None:
        """The call, for one thread only."""
        with self._lock:
            call, self._call = self._call, None
        return call

    def _end(self) -> None:
        with self._lock:
            self._done = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)
