import operator
import threading
from concurrent.futures import CancelledError
from functools import partial

import pytest

from service.errors import OVERLOADED, RequestError
from service.server.job import Job
from service.server.workers import Workers

PATIENCE = 10  # seconds; nothing here takes more than an instant


class Gate:
    """A job that says when it has begun and ends when it is let."""

    def __init__(self) -> None:
        self.begun, self.let = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.let.wait(PATIENCE)
        return "done"


def fill(workers: Workers, count: int) -> list[tuple[Gate, Job[str]]]:
    gates = [Gate() for _ in range(count)]
    return [(gate, workers.submit(gate)) for gate in gates]


def test_jobs_run_and_answer() -> None:
    workers = Workers(1, 3)
    answers = [workers.submit(partial(operator.mul, i, i)).result(PATIENCE) for i in range(20)]
    assert answers == [i * i for i in range(20)]
    workers.close()
    assert workers.finished == 20


def test_as_many_work_at_once_as_there_are_threads() -> None:
    workers = Workers(3, 0)
    jobs = fill(workers, 3)
    assert all(gate.begun.wait(PATIENCE) for gate, _ in jobs)
    for gate, _ in jobs:
        gate.let.set()
    workers.close()


def test_what_does_not_fit_is_refused_at_once_and_fits_again_later() -> None:
    workers = Workers(1, 2)
    jobs = fill(workers, 3)
    with pytest.raises(RequestError) as refused:
        workers.submit(lambda: "no")
    assert refused.value.kind is OVERLOADED
    assert refused.value.retry_after == 1
    with pytest.raises(RequestError) as refused_before:
        workers.refuse_when_full()
    assert str(refused_before.value) == str(refused.value)
    for gate, _ in jobs:
        gate.let.set()
    assert [job.result(PATIENCE) for _, job in jobs] == ["done"] * 3
    for _ in range(50):  # places are free again, all of them
        workers.refuse_when_full()
        assert workers.submit(lambda: "yes").result(PATIENCE) == "yes"
    workers.close()


def test_a_failure_goes_to_its_sender_and_the_thread_works_on() -> None:
    workers = Workers(1, 1)
    failing = workers.submit(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        failing.result(PATIENCE)
    assert workers.submit(lambda: "fine").result(PATIENCE) == "fine"
    workers.close()


def test_a_cancelled_job_is_not_begun() -> None:
    workers = Workers(1, 1)
    (first, answer), (second, waiting) = fill(workers, 2)
    assert first.begun.wait(PATIENCE)
    assert waiting.cancel()
    first.let.set()
    workers.close()
    assert answer.result(0) == "done"
    assert not second.begun.is_set()
    with pytest.raises(CancelledError):
        waiting.result(0)


def test_closing_waits_for_what_is_queued() -> None:
    workers = Workers(1, 5)
    jobs = fill(workers, 4)
    for gate, _ in jobs:
        gate.let.set()
    workers.close()
    assert all(job.done() for _, job in jobs)
