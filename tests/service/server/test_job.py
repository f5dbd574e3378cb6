"""A job against concurrent.futures.Future, whose part it plays: the same steps with both, and the same told of them."""

import contextlib
import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import pytest

from service.server.job import Job

PATIENCE = 10  # seconds; nothing here takes more than an instant


def fail() -> str:
    raise KeyError("no")


def outcome(job: Job[str] | Future[str]) -> tuple[str, bool, bool]:
    """The result or the name of the error, and whether it is done and was cancelled."""
    try:
        told = job.result(0)
    except (KeyError, CancelledError, TimeoutError) as error:
        told = type(error).__name__
    return told, job.done(), job.cancelled()


@pytest.mark.parametrize("call", [lambda: "done", fail])
@pytest.mark.parametrize("cancelled", [False, True])
def test_it_tells_what_a_future_tells(call: Callable[[], str], cancelled: bool) -> None:
    job, future = Job(call), Future[str]()
    told: list[str] = []
    for each in (job, future):
        each.add_done_callback(lambda _: told.append("before"))
    assert outcome(job) == outcome(future) == ("TimeoutError", False, False)
    if cancelled:
        assert job.cancel()
        assert future.cancel()
    job.run()
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(call())
        except KeyError as error:
            future.set_exception(error)
    for each in (job, future):
        each.add_done_callback(lambda _: told.append("after"))
    assert outcome(job) == outcome(future)
    assert job.cancel() == future.cancel() == cancelled
    assert told == ["before", "before", "after", "after"]


def test_it_is_made_once_or_cancelled_whichever_comes_first() -> None:
    for _ in range(50):
        made: list[int] = []
        job = Job(lambda made=made: made.append(1))  # type: ignore[misc]
        with ThreadPoolExecutor(3) as pool:
            runs = [pool.submit(job.run) for _ in range(2)]
            cancelled = pool.submit(job.cancel).result(PATIENCE)
            for run in runs:
                run.result(PATIENCE)
        assert len(made) == (not cancelled)
        assert job.done()


def test_one_in_work_cannot_be_cancelled_and_is_waited_for() -> None:
    begun, let = threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        assert let.wait(PATIENCE)
        return "done"

    job = Job(work)
    thread = threading.Thread(target=job.run)
    thread.start()
    assert begun.wait(PATIENCE)
    assert not job.cancel()
    assert not job.done()
    job.add_done_callback(lambda _: None)
    let.set()
    assert job.result(PATIENCE) == "done"
    thread.join(PATIENCE)


def test_it_keeps_nothing_of_its_call() -> None:
    """Nothing that the garbage collector would have to find, either: a picture would be held until then."""

    class Picture:
        pass

    def call(picture: Picture) -> Callable[[], str]:
        def look() -> str:
            assert picture is not None
            return fail()

        return look

    gc.disable()
    try:
        picture = Picture()
        held = weakref.ref(picture)
        job = Job(call(picture))
        del picture
        job.run()
        with contextlib.suppress(KeyError):  # pytest.raises would hold the error
            job.result()
        del job
        assert held() is None
    finally:
        gc.enable()
