"""What workers hand over to the event loop."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

import pytest

from service.server.handover import handed_over, result_within

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


def test_a_job_in_work_is_left_to_itself_when_the_time_is_over() -> None:
    async def scene() -> None:
        waiting, working = Future[int](), Future[int]()
        working.set_running_or_notify_cancel()
        for job in (waiting, working):
            with pytest.raises(TimeoutError):
                await result_within(job, 0.001)
        assert waiting.cancelled()
        working.set_result(1)
        assert await result_within(working, PATIENCE) == 1

    run(scene())


def test_a_job_that_nobody_waits_for_any_more_is_not_begun() -> None:
    async def scene() -> None:
        job = Future[int]()
        waiting = asyncio.create_task(result_within(job, PATIENCE))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert job.cancelled()

    run(scene())


def test_an_error_leaves_nothing_behind_but_itself() -> None:
    """No cycle that the garbage collector would have to find, and that would hold a picture until then."""

    class Picture:
        pass

    held: list[weakref.ref[Picture]] = []

    def failed() -> Future[int]:
        job, picture = Future[int](), Picture()
        held.append(weakref.ref(picture))
        job.picture = picture  # type: ignore[attr-defined]
        job.set_exception(KeyError("no"))
        return job

    async def scene() -> None:
        with pytest.raises(KeyError):
            await result_within(failed(), PATIENCE)
        assert held[0]() is None

    gc.disable()
    try:
        run(scene())
    finally:
        gc.enable()
