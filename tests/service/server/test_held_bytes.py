"""Bytes are counted for as long as what has them lives, whoever lets go of it last."""

import threading

import pytest

from service.errors import OVERLOADED
from service.server.held_bytes import HeldBytes, budget_of
from service.settings import Settings


class Holder:
    """Something that is held."""


def test_what_nobody_holds_any_more_is_not_counted() -> None:
    held = HeldBytes(100)
    one, other = Holder(), Holder()
    held.keep(one, 30)
    held.keep(other, 50)
    assert held.free == 20
    waiting = [one]
    del one
    assert held.free == 20
    waiting.clear()
    assert held.free == 50
    del other
    assert held.free == 100


def test_many_threads_may_let_go_at_once() -> None:
    held = HeldBytes(0)

    def work() -> None:
        for size in range(2000):
            held.keep(Holder(), size)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held.free == 0


def test_its_error_names_the_budget_and_when_to_come_again() -> None:
    problem = HeldBytes(12345).full()
    assert (problem.kind, problem.retry_after) == (OVERLOADED, 1)
    assert problem.detail == (
        "There is no room for it beside the pictures that come in or wait: they may have 12345 bytes together "
        "(MFN_MAX_WAITING_BYTES). Send it again, a little later."
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), 384 * 2**20),  # as the setting says
        (Settings(max_waiting_bytes=2**20), 2 * 4 * 9_000_000),  # a raw picture in four bytes a pixel is the largest
        (Settings(max_waiting_bytes=2**20, max_bytes=2**30), 2**31),  # an encoded one is
    ],
)
def test_one_of_the_largest_pictures_always_fits(settings: Settings, expected: int) -> None:
    assert budget_of(settings) == expected
