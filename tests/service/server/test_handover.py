"""What workers hand over to the event loop."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

import pytest

from service.server.handover import done_within, handed_over

PATIENCE = 10  # seconds; nothing here takes more than an instant


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, PATIENCE))


def test_a_result_and_an_error_come_from_another_thread() -> None:
    async def scene() -> None:
        fine, failed = Future[int](), Future[int]()
        answers = handed_over(fine), handed_over(failed)

        def work() -> None:
            fine.set_result(7)
            failed.set_exception(KeyError("no"))

        thread = threading.Thread(target=work)
        thread.start()
        assert await answers[0] == 7
        with pytest.raises(KeyError, match="no"):
            await answers[1]
        thread.join(PATIENCE)

    run(scene())


def test_what_is_done_already_is_handed_over() -> None:
    async def scene() -> None:
        job = Future[str]()
        job.set_result("done")
        assert await handed_over(job) == "done"

    run(scene())


def test_a_cancelled_job_leaves_its_answer_pending() -> None:
    async def scene() -> None:
        job = Future[int]()
        answer = handed_over(job)
        assert job.cancel()
        await asyncio.sleep(0)
        assert not answer.done()

    run(scene())


def test_an_answer_that_nobody_waits_for_any_more_may_come() -> None:
    async def scene() -> None:
        job = Future[int]()
        answer = handed_over(job)
        answer.cancel()
        job.set_result(1)
        await asyncio.sleep(0)
        assert answer.cancelled()
        assert job.result() == 1

    run(scene())


def test_a_job_that_ends_after_the_loop_is_nobodys_concern() -> None:
    job = Future[int]()

    async def scene() -> None:
        handed_over(job)

    asyncio.run(scene())
    job.set_result(1)


def test_waiting_ends_with_the_future_or_the_time_and_changes_neither() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        assert not await done_within(future, 0.001)
        assert not future.done()
        loop.call_soon(future.set_result, 1)
        assert await done_within(future, PATIENCE)
        assert await done_within(future, 0)

    run(scene())


def test_a_wait_that_is_cancelled_leaves_the_future() -> None:
    async def scene() -> None:
        future = asyncio.get_running_loop().create_future()
        waiting = asyncio.create_task(done_within(future, PATIENCE))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not future.done()

    run(scene())
