"""Hands the results of workers' jobs over to the event loop. asyncio's own ways cost three times as much."""

import asyncio
import contextlib
from functools import partial
from typing import TypeVar

from service.server.job import Job

T = TypeVar("T")


async def result_within(job: Job[T], seconds: float) -> T:
    """The result of a job, or its error. A job that no thread has taken when the wait ends is cancelled.

    Raises TimeoutError where it takes longer.
    """
    answer = handed_over(job)
    limit = asyncio.get_running_loop().call_later(seconds, _pass_limit, answer)
    try:
        return await answer
    finally:
        limit.cancel()
        job.cancel()
        del answer, job  # an error that they hold would hold them by this frame, and with them the picture


def handed_over(job: Job[T]) -> "asyncio.Future[T]":
    """A future of the running loop that gets a job's result, or its error. Its cancellation leaves the job alone.

    It stays pending where the job is cancelled.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()
    job.add_done_callback(partial(_hand_over, loop, answer))
    return answer


def _hand_over(loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[T]", job: Job[T]) -> None:
    """Called in the thread that has done the job, or in the loop's where the job is cancelled."""
    if not job.cancelled():
        with contextlib.suppress(RuntimeError):  # the loop is closed by now
            loop.call_soon_threadsafe(_settle, answer, job)


def _settle(answer: "asyncio.Future[T]", job: Job[T]) -> None:
    if answer.done():
        return
    error = job.exception()
    if error is None:
        answer.set_result(job.result())
    else:
        answer.set_exception(error)


def _pass_limit(answer: "asyncio.Future[T]") -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())
