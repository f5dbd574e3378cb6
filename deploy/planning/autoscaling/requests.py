"""Single pictures, sent round robin: each pod is a queue M/D/c of bounded length, followed exactly through time.

Where every picture takes as long, the pictures in a pod after one service time are those that were waiting, less one
for each worker, and what has arrived meanwhile (Crommelin, "Delay probability formulae when the holding times are
constant", 1932). That is a Markov chain; all pods get the same share of what comes at random, so one distribution, over
the pictures in a pod, tells of all of them: new pods come into the mixture empty.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from deploy.planning.autoscaling.traffic import STEP_SECONDS, Answered

Array = NDArray[np.float64]

GRID: Final = 0.02  # arrivals in one service time, for each worker, between two chains that are made
HIGHEST: Final = 4.0  # arrivals in one service time and worker; what is above is refused, as nearly all is there


@dataclass(frozen=True)
class Queue:
    """workers, length: of a pod. steps: service times in a second; `seconds` is one of them."""

    workers: int
    length: int
    steps: int

    @classmethod
    def of(cls, workers: int, length: int, request_seconds: float) -> "Queue":
        """The service time is taken so that a whole number of them makes a second. Raises ValueError above one."""
        if not 0 < request_seconds <= STEP_SECONDS:
            raise ValueError(f"A request takes {request_seconds:g} s; expected more than 0 and at most one second.")
        return cls(workers, length, max(1, round(STEP_SECONDS / request_seconds)))

    @property
    def seconds(self) -> float:
        """Length of a step of the queue's model, in seconds."""
        return STEP_SECONDS / self.steps

    @property
    def places(self) -> int:
        """How many requests a pod holds, those under way and those that wait."""
        return self.workers + self.length

    @property
    def rate(self) -> float:
        """Requests a second that a pod can bear."""
        return self.workers * self.steps / STEP_SECONDS

    @functools.cached_property
    def states(self) -> NDArray[np.int64]:
        """(places + 1,) pictures in a pod."""
        return np.arange(self.places + 1)

    @functools.cached_property
    def waits(self) -> Array:
        """(places + 1,) seconds that a picture waits which finds so many: one service time for `workers` before it."""
        return np.maximum(self.states - self.workers + 1, 0) * self.seconds / self.workers

    def chain(self, arrivals: float) -> tuple[Array, Array]:
        """(S, S) transitions of a service time, and (S,) mean pictures refused in it, by the state at its start.

        arrivals: mean number in a service time, Poisson.
        """
        size = self.places + 1
        counts = np.arange(size)
        steps = np.log(np.maximum(arrivals, 1e-300)) - np.log(np.maximum(counts, 1))
        poisson = np.exp(-arrivals + np.cumsum(np.where(counts > 0, steps, 0.0)))
        left = np.maximum(self.states - self.workers, 0)
        moves = np.zeros((size, size))
        refused = np.zeros(size)
        for state, waiting in enumerate(left):
            free = self.places - waiting  # so many find a place
            moves[state, waiting : self.places] = poisson[:free]
            moves[state, self.places] = max(1.0 - poisson[:free].sum(), 0.0)
            taken = (np.arange(free) * poisson[:free]).sum() + free * moves[state, self.places]
            refused[state] = max(arrivals - taken, 0.0)
        return moves, refused


@functools.lru_cache(maxsize=1024)
def second(queue: Queue, index: int) -> tuple[Array, Array, Array]:
    """Of a second in which GRID * index arrive for each worker in a service time: (S, S) transitions, (S, S) the mean
    of the distributions in it, and (S,) the pictures refused; each by the state at its start."""
    moves, refused = queue.chain(GRID * index * queue.workers)
    power, total = np.eye(len(moves)), np.zeros_like(moves)
    for _ in range(queue.steps):
        total += power
        power = power @ moves
    return power, total / queue.steps, total @ refused


class Requests:
    """All pods' pictures, as one distribution. Numbers are means, so they are no whole ones."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._shares = np.zeros(queue.places + 1)  # of pods with so many pictures
        self._pods: tuple[int, ...] = ()

    @property
    def waiting(self) -> float:
        """Pictures in the pods, in work or not."""
        return float(len(self._pods) * self._shares @ self._queue.states)

    def step(self, rate: float, pods: Sequence[int]) -> Answered:
        """A second of `rate` pictures to the pods of these numbers. Those that are gone have finished theirs."""
        queue, states = self._queue, self._queue.states
        if not pods:
            finished, self._pods = self.waiting, ()
            return Answered.none(rate, finished)
        finished = self._change(tuple(pods))
        arrived = rate * STEP_SECONDS / len(pods)
        load = arrived / queue.steps / queue.workers
        within = min(load, HIGHEST)
        index = min(int(within / GRID), int(HIGHEST / GRID) - 1)
        weight = within / GRID - index
        before = self._shares
        after, mean, turned_away = (
            (1 - weight) * (before @ low) + weight * (before @ high)
            for low, high in zip(second(queue, index), second(queue, index + 1), strict=True)
        )
        self._shares = after / after.sum()
        refused = float(turned_away) + (load - within) * queue.steps * queue.workers
        served = arrived - refused - float((self._shares - before) @ states)
        busy = float(mean @ np.minimum(states, queue.workers))
        depth = float(mean @ np.maximum(states - queue.workers, 0))
        let_in = mean[: queue.places]  # who finds a pod full is refused, and does not wait
        return Answered(
            arrived=rate * STEP_SECONDS,
            served=served * len(pods) + finished,
            lost=refused * len(pods),
            busy=np.full(len(pods), busy),
            depth=np.full(len(pods), depth),
            waits=queue.waits[: queue.places],
            shares=let_in / let_in.sum() if let_in.sum() > 0 else let_in,
        )

    def _change(self, pods: tuple[int, ...]) -> float:
        """New pods have no pictures. Pictures of pods that are to end, which these finish."""
        if pods == self._pods:
            return 0.0
        gone, stay = len(set(self._pods) - set(pods)), len(set(self._pods) & set(pods))
        finished = gone * float(self._shares @ self._queue.states)
        self._shares = self._shares * stay / len(pods)
        self._shares[0] += 1 - stay / len(pods)
        self._pods = pods
        return finished
