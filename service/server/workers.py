"""A thread pool with a bounded queue; jobs beyond its capacity are refused at once."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from service.errors import OVERLOADED, RequestError
from service.server.job import Job

RETRY_AFTER_SECONDS: Final = 1

T = TypeVar("T")


class Workers:
    """A pool of `count` threads, with at most `queue_length` jobs waiting.

    A cancelled job still counts until a thread takes it from the queue. finished: number of jobs that have ended.
    """

    def __init__(self, count: int, queue_length: int) -> None:
        self.capacity = count + queue_length
        self.finished = 0
        self._taken = 0  # of the capacity
        self._lock = threading.Lock()  # of that number
        self._jobs: SimpleQueue[tuple[Job[Any], bool] | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"worker-{i}", daemon=True) for i in range(count)]
        for thread in self._threads:
            thread.start()

    def depth(self) -> int:
        """Number of jobs that wait for a thread."""
        return self._jobs.qsize()

    def refuse_when_full(self) -> None:
        """Raises RequestError OVERLOADED where `submit` would do so now: before a picture is read for nothing."""
        if self._taken >= self.capacity:
            raise self._overloaded()

    def submit(self, call: Callable[[], T], bounded: bool = True) -> Job[T]:
        """Queues a call as a job. Raises RequestError OVERLOADED where the capacity is reached.

        bounded: whether the job counts against the capacity. Those of streams do not: each of the few streams has one
        job at a time.
        """
        if bounded:
            with self._lock:
                if self._taken >= self.capacity:
                    raise self._overloaded()
                self._taken += 1
        job = Job(call)
        self._jobs.put((job, bounded))
        return job

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
            job, bounded = item
            try:
                job.run()
            finally:
                self.finished += 1  # two threads at once may count one; it tells only whether there were any
                if bounded:
                    with self._lock:
                        self._taken -= 1
                del item, job  # so that no picture is kept while the thread waits for the next job
