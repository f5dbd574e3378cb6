"""What workers hand over to the event loop."""

import asyncio
import contextlib
import gc
import threading
import weakref
from collections.abc import Coroutine
from functools import partial
from typing import Any

import pytest

from service.server.handover import handed_over, result_within
from service.server.job import Job

PATIENCE = 10  # seconds; nothing here takes more than an instant


def fail() -> int:
    raise KeyError("no")


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, PATIENCE))


def test_a_result_and_an_error_come_from_another_thread() -> None:
    async def scene() -> None:
        fine, failed = Job(lambda: 7), Job(fail)
        answers = handed_over(fine), handed_over(failed)

        def work() -> None:
            fine.run()
            failed.run()

        thread = threading.Thread(target=work)
        thread.start()
        assert await answers[0] == 7
        with pytest.raises(KeyError, match="no"):
            await answers[1]
        thread.join(PATIENCE)

    run(scene())


def test_what_is_done_already_is_handed_over() -> None:
    async def scene() -> None:
        job = Job(lambda: "done")
        job.run()
        assert await handed_over(job) == "done"

    run(scene())


def test_a_cancelled_job_leaves_its_answer_pending() -> None:
    async def scene() -> None:
        job = Job(lambda: 1)
        answer = handed_over(job)
        assert job.cancel()
        await asyncio.sleep(0)
        assert not answer.done()

    run(scene())


def test_an_answer_that_nobody_waits_for_any_more_may_come() -> None:
    async def scene() -> None:
        job = Job(lambda: 1)
        answer = handed_over(job)
        answer.cancel()
        job.run()
        await asyncio.sleep(0)
        assert answer.cancelled()
        assert job.result() == 1

    run(scene())


def test_a_job_that_ends_after_the_loop_is_nobodys_concern() -> None:
    job = Job(lambda: 1)

    async def scene() -> None:
        handed_over(job)

    asyncio.run(scene())
    job.run()
    assert job.result() == 1


def test_a_job_in_work_is_left_to_itself_when_the_time_is_over() -> None:
    async def scene() -> None:
        begun, let = threading.Event(), threading.Event()

        def work() -> int:
            begun.set()
            assert let.wait(PATIENCE)
            return 1

        waiting, working = Job(work), Job(work)
        thread = threading.Thread(target=working.run)
        thread.start()
        assert begun.wait(PATIENCE)
        for job in (waiting, working):
            with pytest.raises(TimeoutError):
                await result_within(job, 0.001)
        assert waiting.cancelled()
        let.set()
        assert await result_within(working, PATIENCE) == 1
        thread.join(PATIENCE)

    run(scene())


def test_a_job_that_nobody_waits_for_any_more_is_not_begun() -> None:
    async def scene() -> None:
        job = Job(lambda: 1)
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

    def look(picture: Picture) -> int:
        held.append(weakref.ref(picture))
        raise KeyError("no")

    def failed() -> Job[int]:
        jobs = [Job(partial(look, Picture()))]
        jobs[0].run()
        return jobs.pop()  # a variable would hold it: the error holds this frame

    async def scene() -> None:
        with contextlib.suppress(KeyError):  # pytest.raises would hold the error
            await result_within(failed(), PATIENCE)
        await asyncio.sleep(0)  # the loop has what woke this scene until then
        assert held[0]() is None

    gc.disable()
    try:
        run(scene())
    finally:
        gc.enable()
