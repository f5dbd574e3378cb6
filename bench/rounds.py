"""Times that can be compared: everything in turn, round after round, in one process on one core."""

import os
import statistics
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

QUIET = 0.97  # of the time, which a process has its core to itself on a quiet machine

Name = TypeVar("Name", bound=Hashable)
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Rounds(Generic[Name, Answer]):
    """Holds what was measured. ms: milliseconds of each case, one a round. answers: what it returned then. share: of
    the time in which this process had its core."""

    ms: dict[Name, list[float]]
    answers: dict[Name, list[Answer]]
    share: float

    def median(self, name: Name) -> float:
        """Milliseconds."""
        return statistics.median(self.ms[name])

    def ratio(self, name: Name, other: Name) -> float:
        """How many times as long as the other it takes: the median of the rounds' ratios, which drift leaves alone."""
        return statistics.median(a / b for a, b in zip(self.ms[name], self.ms[other], strict=True))

    def told(self) -> str:
        """What the figures are worth."""
        worth = "" if self.share >= QUIET else " Something else ran there: run it again."
        count = len(next(iter(self.ms.values())))
        return f"{count} rounds; this process had its core to itself for {self.share:.0%} of the time.{worth}"


def measure(cases: Mapping[Name, Callable[[], Answer]], rounds: int) -> Rounds[Name, Answer]:
    """Runs all cases in every round, the timed run of each after one that is not: as a server finds its caches, which
    runs the same network again and again."""
    for run in cases.values():
        run()
    pin()  # the threads, too, that the first run has started
    ms: dict[Name, list[float]] = {name: [] for name in cases}
    answers: dict[Name, list[Answer]] = {name: [] for name in cases}
    before, began = time.process_time(), time.perf_counter()
    for _ in range(rounds):
        for name, run in cases.items():
            run()
            start = time.perf_counter()
            answer = run()
            ms[name].append((time.perf_counter() - start) * 1e3)
            answers[name].append(answer)
    return Rounds(ms, answers, (time.process_time() - before) / (time.perf_counter() - began))


def pin() -> None:
    """Keeps this process, with all threads that it has and will have, to the last of its cores (Linux only)."""
    if hasattr(os, "sched_setaffinity"):
        core = max(os.sched_getaffinity(0))
        for task in Path("/proc/self/task").iterdir():
            os.sched_setaffinity(int(task.name), {core})
