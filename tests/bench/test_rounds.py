"""What is made of times; none of these tests looks at how long something took."""

from collections.abc import Callable
from itertools import count

import pytest

from bench.clock import find_clock
from bench.rounds import Rounds, measure


@pytest.fixture(autouse=True)
def not_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests keep their cores."""
    monkeypatch.setattr("bench.rounds.pin", lambda: None)


def test_every_case_has_its_turn_in_every_round_and_warms_up_before() -> None:
    calls: list[str] = []
    numbers = {name: count() for name in "ab"}

    def case(name: str) -> Callable[[], int]:
        def run() -> int:
            calls.append(name)
            return next(numbers[name])

        return run

    rounds = measure({name: case(name) for name in "ab"}, 3)
    assert "".join(calls) == "ab" + 3 * "aabb"
    assert rounds.answers == {"a": [2, 4, 6], "b": [2, 4, 6]}
    assert {name: len(times) for name, times in rounds.ms.items()} == {"a": 3, "b": 3}
    assert all(ms > 0 for times in rounds.ms.values() for ms in times)


def test_medians_and_ratios() -> None:
    """A machine that grows slower by the round changes no ratio; the ratio of the medians would be 3 / 2 here."""
    rounds: Rounds[str, float] = Rounds(ms={"a": [2.0, 3.0, 30.0], "b": [1.0, 2.0, 10.0]}, answers={}, share=1.0)
    assert rounds.median("a") == 3.0
    assert rounds.ratio("a", "b") == 2.0


@pytest.mark.parametrize(("share", "worth"), [(0.99, True), (0.4, False)])
def test_rounds_on_a_busy_core_say_so(share: float, worth: bool) -> None:
    rounds: Rounds[str, float] = Rounds(ms={"a": [1.0, 2.0]}, answers={}, share=share)
    told = rounds.told()
    assert told.startswith("2 rounds")
    assert ("run it again" not in told) == worth


def test_a_clock_that_is_given_is_believed() -> None:
    clock = find_clock(3.5)
    assert clock is not None
    assert (clock.ghz(), clock.how) == (3.5, "as given")


def test_a_clock_that_is_found_can_be_read() -> None:
    clock = find_clock(None)
    assert clock is None or clock.ghz() > 0
