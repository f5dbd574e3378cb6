"""Live streams: each stays on its pod until its connection is old, so that pods which are added fill little by little.

What a pod makes of so many streams is found once for each number, event by event, by the server's own rules: one frame
of a stream in work or in the queue at a time, of those behind it the newest is kept, and workers take turns by arrival.
"""

import functools
import heapq
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from deploy.planning.autoscaling.traffic import STEP_SECONDS, Answered

Array = NDArray[np.float64]

FRAMES_SEED: Final = 20
FRAMES_SECONDS: Final = 5.0  # simulated for each number of streams and each round
ROUNDS: Final = 6  # with other phases between the streams each time: they decide whether frames meet
NETWORK_JITTER: Final = 0.25  # of a frame's period, the standard deviation with which frames arrive
AGE_JITTER: Final = 0.1  # gRPC's own: connections end within so much of MAX_CONNECTION_AGE (gRFC A9)
NOWHERE: Final = -1  # the pod of a stream that none takes
WAITS_MS: Final = np.concatenate([np.arange(0, 50, 1.0), np.arange(50, 500, 10.0), np.arange(500, 5500, 100.0)])


@dataclass(frozen=True)
class Frames:
    """One pod's second with so many streams. busy: mean cores. depth: mean frames that wait for a worker. dropped:
    share of the frames sent. shares: (len(WAITS_MS),) of the frames looked at that waited so long for a worker."""

    busy: float
    depth: float
    dropped: float
    shares: Array


@functools.lru_cache(maxsize=1024)
def frames(streams: int, workers: int, rate: float, frame_seconds: float) -> Frames:
    """Simulates a pod. rate: frames a second of each stream. frame_seconds: of one core, for one frame."""
    counts = np.zeros(len(WAITS_MS))
    if not streams:
        return Frames(0.0, 0.0, 0.0, counts)
    random = np.random.default_rng([FRAMES_SEED, streams])
    period = 1 / rate
    seen = _Seen()
    for _ in range(ROUNDS):
        times = (random.random(streams)[:, None] + np.arange(math.ceil(FRAMES_SECONDS * rate))) * period
        times += NETWORK_JITTER * period * random.standard_normal(times.shape)
        arrivals = sorted((time, stream) for stream, row in enumerate(np.sort(times)) for time in row)
        _follow(arrivals, workers, frame_seconds, seen)
    seconds = ROUNDS * FRAMES_SECONDS
    places = np.searchsorted(WAITS_MS[:-1], np.asarray(seen.waits) * 1e3 - 1e-9)
    counts += np.bincount(places, minlength=len(WAITS_MS))
    return Frames(
        busy=min(len(seen.waits) * frame_seconds / seconds, workers),
        depth=seen.queued / seconds,
        dropped=seen.dropped / seen.sent,
        shares=counts / counts.sum(),
    )


@dataclass
class _Seen:
    """Holds what came of a run. waits: seconds in the queue of each frame that a worker took up. queued: all frames'
    seconds in the queue."""

    sent: int = 0
    dropped: int = 0
    queued: float = 0.0
    waits: list[float] = field(default_factory=list)


def _follow(arrivals: Sequence[tuple[float, int]], workers: int, frame_seconds: float, seen: _Seen) -> None:
    """A pod from empty until FRAMES_SECONDS, under frames that come at these times, in order, to these streams."""
    queue: deque[tuple[float, int]] = deque()  # since when, whose
    mailbox: set[int] = set()  # streams with a newest frame behind the one in work
    engaged: set[int] = set()  # streams with a frame in work or in the queue
    done: list[tuple[float, int]] = []  # when a worker is free again, and of whose frame
    pending, first = deque(arrivals), len(seen.waits)
    while pending or done:
        if done and (not pending or done[0][0] <= pending[0][0]):
            now, stream = heapq.heappop(done)
            engaged.discard(stream)
            comes = stream in mailbox
            mailbox.discard(stream)
        else:
            now, stream = pending.popleft()
            comes = stream not in engaged
            if now <= FRAMES_SECONDS:
                seen.sent += 1
                seen.dropped += stream in mailbox
            if not comes:
                mailbox.add(stream)
        if now > FRAMES_SECONDS:
            break
        if comes:
            engaged.add(stream)
            queue.append((now, stream))
        while queue and len(done) < workers:
            since, stream = queue.popleft()
            seen.waits.append(now - since)
            heapq.heappush(done, (now + frame_seconds, stream))
    seen.queued += sum(seen.waits[first:]) + sum(FRAMES_SECONDS - since for since, _ in queue)


@dataclass(frozen=True)
class Habits:
    """Of the streams. rate: frames a second. frame_seconds: of one core, for one frame. age_seconds: of a connection.
    minutes: a stream's mean length. clients: many, of which each takes any pod, or one gateway that takes them in turn.
    most: streams that a pod takes; who finds it full asks another one."""

    rate: float = 30.0
    frame_seconds: float = 0.0085
    age_seconds: float = 300.0
    minutes: float = 20.0
    clients: Literal["many", "gateway"] = "many"
    most: int = 64


class Streams:
    """All open streams, each with its pod and its connection's end."""

    def __init__(self, habits: Habits, workers: int, seed: int) -> None:
        self._habits, self._workers = habits, workers
        self._random = np.random.default_rng(seed)
        self._pod = np.zeros(0, np.int64)  # of each stream
        self._until = np.zeros(0)  # when each stream's connection ends
        self._now = 0.0
        self._turn = 0

    waiting = 0.0  # frames of the step before: a fraction of a second's work, forgotten

    def step(self, load: float, pods: Sequence[int]) -> Answered:
        """A second with `load` open streams on the pods of these numbers; those of other pods come over to them."""
        habits = self._habits
        self._now += STEP_SECONDS
        if not pods:
            self._pod = np.zeros(0, np.int64)
            self._until = np.zeros(0)
            return Answered.none(round(load) * habits.rate)
        self._come_and_go(round(load), np.asarray(pods))
        placed = self._pod[self._pod != NOWHERE]
        counts = np.bincount(np.searchsorted(pods, placed), minlength=len(pods))
        refused = (len(self._pod) - len(placed)) * habits.rate * STEP_SECONDS
        each = [frames(int(count), self._workers, habits.rate, habits.frame_seconds) for count in counts]
        sent = counts * habits.rate * STEP_SECONDS
        dropped = np.array([pod.dropped for pod in each]) * sent
        shares = (sent - dropped) @ np.array([pod.shares for pod in each])
        return Answered(
            arrived=float(sent.sum()) + refused,
            served=float((sent - dropped).sum()),
            lost=float(dropped.sum()) + refused,
            busy=np.array([pod.busy for pod in each]),
            depth=np.array([pod.depth for pod in each]),
            waits=WAITS_MS / 1e3,
            shares=shares / shares.sum() if shares.sum() > 0 else shares,
        )

    def _come_and_go(self, wanted: int, pods: NDArray[np.int64]) -> None:
        stays = self._random.random(len(self._pod)) >= STEP_SECONDS / (60 * self._habits.minutes)
        if (excess := int(stays.sum()) - wanted) > 0:
            stays[self._random.choice(np.flatnonzero(stays), excess, replace=False)] = False
        self._pod, self._until = self._pod[stays], self._until[stays]
        new = wanted - len(self._pod)
        moves = np.flatnonzero((self._until <= self._now) | ~np.isin(self._pod, pods))
        self._pod = np.concatenate([self._pod, np.zeros(new, np.int64)])
        self._until = np.concatenate([self._until, np.zeros(new)])
        moves = np.concatenate([moves, np.arange(wanted - new, wanted)])
        self._pod[moves] = NOWHERE
        counts = np.bincount(np.searchsorted(pods, self._pod[self._pod != NOWHERE]), minlength=len(pods))
        for move in moves:
            self._pod[move] = self._place(counts, pods)
        jitter = self._random.uniform(1 - AGE_JITTER, 1 + AGE_JITTER, len(moves))
        self._until[moves] = self._now + self._habits.age_seconds * jitter if self._habits.age_seconds else np.inf

    def _place(self, counts: NDArray[np.int64], pods: NDArray[np.int64]) -> int:
        """The pod of one more stream, NOWHERE where all are full; a second later it asks again. counts: (P,) streams
        of each pod, of which one becomes more."""
        free = np.flatnonzero(counts < self._habits.most)
        if not len(free):
            return NOWHERE
        if self._habits.clients == "gateway":
            index = int(free[np.searchsorted(free, self._turn % len(pods)) % len(free)])
            self._turn = index + 1
        else:
            index = int(self._random.choice(free))
        counts[index] += 1
        return int(pods[index])
