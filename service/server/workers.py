"""A thread pool with a bounded queue; jobs beyond its capacity are refused at once."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from service.errors import OVERLOADED, RequestError

RETRY_AFTER_SECONDS: Final = 1

T = TypeVar("T")


class Workers:
    """A pool of `count` threads, with at most `queue_length` jobs waiting.

    A cancelled job still counts until a thread takes it from the queue. finished: number of jobs that have ended.
    """

    def __init__(self, count: int, queue_length: int) -> None:
        self.capacity = count + queue_length
        self.finished = 0
        self._places = threading.Semaphore(self.capacity)
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any], bool] | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"worker-{i}", daemon=True) for i in range(count)]
        for thread in self._threads:
            thread.start()

    def depth(self) -> int:
        """Number of jobs that wait for a thread."""
        return self._jobs.qsize()

    def refuse_when_full(self) -> None:
        """Raises RequestError OVERLOADED where `submit` would do so now: before a picture is read for nothing."""
        if not self._places.acquire(blocking=False):
            raise self._overloaded()
        self._places.release()

    def submit(self, job: Callable[[], T], bounded: bool = True) -> Future[T]:
        """Queues a job. Raises RequestError OVERLOADED where the capacity is reached.

        bounded: whether the job counts against the capacity. Those of streams do not: each of the few streams has one
        job at a time.
        """
        if bounded and not self._places.acquire(blocking=False):
            raise self._overloaded()
        future: Future[T] = Future()
        self._jobs.put((future, job, bounded))
        return future

    def _overloaded(self) -> RequestError:
        return RequestError(
            OVERLOADED,
            f"All {self.capacity} places for pictures in work or waiting are taken. Send it again, a little later.",
            retry_after=RETRY_AFTER_SECONDS,
        )

    def close(self) -> None:
        """Ends the threads after the jobs that are queued now."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            future, job, bounded = item
            try:
                if future.set_running_or_notify_cancel():
                    future.set_result(job())
            except BaseException as error:
                future.set_exception(error)
            finally:
                self.finished += 1  # two threads at once may count one; it tells only whether there were any
                if bounded:
                    self._places.release()
                del item, future, job  # so that no picture is kept while the thread waits for the next job
