"""A day: load comes to the pods, metrics are taken of them, the autoscaler decides, pods come and go."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from deploy.planning.autoscaling.autoscaler import SYNC_SECONDS, Autoscaler
from deploy.planning.autoscaling.cluster import Fleet, Startup
from deploy.planning.autoscaling.production import ADAPTED, Production
from deploy.planning.autoscaling.proposal import CPU, proposal
from deploy.planning.autoscaling.traffic import STEP_SECONDS, Answered, Traffic, quantile

Array = NDArray[np.float64]

# metrics-server reads CPU as often as --metric-resolution says. A decision comes a few seconds after a reading, which
# is itself a few seconds old, as the kubelet looks every 10 to 15 s: 10 s in all. Prometheus scrapes in between.
METRICS_SECONDS: Final = 15.0
METRICS_PHASE: Final = 0.0
SCRAPE_PHASE: Final = 5.0
SYNC_PHASE: Final = 10.0
BIN_SECONDS: Final = 15  # of what is kept of a day
P95: Final = 0.95


@dataclass
class Course:
    """What was seen. Arrays (B,) are of BIN_SECONDS each: load in its own unit; wanted and ready pods; cpu, the share
    of the ready pods' cores in use; depth, pictures that wait in a pod; arrived and lost, in all; p95, seconds of
    wait. waits, weights: (W,) of the whole day. pod_seconds: of pods that exist, those that start or end included."""

    load: Array
    wanted: Array
    ready: Array
    cpu: Array
    depth: Array
    arrived: Array
    lost: Array
    p95: Array
    waits: Array
    weights: Array
    served: float
    waiting: float
    pod_seconds: float

    @property
    def hours(self) -> Array:
        """(B,) the middle of each bin, in hours of the day."""
        return (np.arange(len(self.load)) + 0.5) * BIN_SECONDS / 3600

    @property
    def pod_hours(self) -> float:
        """Hours of all pods together."""
        return self.pod_seconds / 3600

    @property
    def lost_share(self) -> float:
        """Share of the requests that got no answer."""
        return float(self.lost.sum() / self.arrived.sum())

    def worst_share(self, seconds: float = 60.0) -> float:
        """The share lost in the worst stretch of so long."""
        window = np.ones(round(seconds / BIN_SECONDS))
        arrived, lost = (np.convolve(values, window, "valid") for values in (self.arrived, self.lost))
        return float((lost / np.maximum(arrived, 1e-9)).max())

    def wait(self, share: float = P95) -> float:
        """Seconds that so many of those let in waited at most, of the whole day."""
        return quantile(self.waits, self.weights, share)


@dataclass
class _Bin:
    """Sums of the steps of one bin."""

    steps: int = 0
    cpu: float = 0.0
    depth: float = 0.0
    load: float = 0.0
    arrived: float = 0.0
    lost: float = 0.0
    waits: Array = field(default_factory=lambda: np.zeros(0))
    weights: Array = field(default_factory=lambda: np.zeros(0))

    def add(self, load: float, answered: Answered, cores: float) -> None:
        """cores: that a pod has for each busy worker's second."""
        self.steps += 1
        self.load += load
        self.arrived += answered.arrived
        self.lost += answered.lost
        if len(answered.busy):
            self.cpu += float(answered.busy.mean()) / cores
            self.depth += float(answered.depth.mean())
            self.waits = answered.waits
            weights = answered.shares * (answered.arrived - answered.lost)
            self.weights = weights if not len(self.weights) else self.weights + weights


def ideal(cores_wanted: Array, production: Production) -> NDArray[np.int64]:
    """(T,) pods that an autoscaler would have which knows all, at once: CPU at its target, within its bounds.

    cores_wanted: (T,) that the load keeps busy.
    """
    specification = production.autoscaler
    pods = np.ceil(cores_wanted / production.cores / (specification.target(CPU).value / 100) - 1e-9)
    return np.clip(pods, specification.min_replicas, specification.max_replicas).astype(np.int64)


def simulate(
    production: Production,
    traffic: Traffic,
    load: Sequence[float] | Array,
    replicas: int,
    startup: Startup,
    lost: tuple[float, float] = (math.inf, math.inf),
    cpu_share: float = 1.0,
) -> Course:
    """load: (T,) of each second. replicas: ready at the start. lost: from when to when the adapter gives no metric.
    cpu_share: of a busy worker's time, what it uses of a core."""
    fleet = Fleet(startup, production.settings.drain_delay_seconds, replicas)
    autoscaler = Autoscaler(production.autoscaler)
    rows: list[tuple[float, ...]] = []
    served = pod_seconds = 0.0
    waits = weights = np.zeros(0)
    wanted, bin_ = replicas, _Bin()
    for second, now_load in enumerate(load):
        now = second * STEP_SECONDS
        fleet.step(now)
        pod_seconds += len(fleet.pods) * STEP_SECONDS
        pods = fleet.sending_to(now)
        answered = traffic.step(float(now_load), [pod.number for pod in pods])
        for pod, busy in zip(pods, answered.busy, strict=True):
            pod.cpu += float(busy) * cpu_share * STEP_SECONDS
        depths = dict(zip((pod.number for pod in pods), map(float, answered.depth), strict=True))
        served += answered.served
        bin_.add(float(now_load), answered, production.cores / cpu_share)
        if now % METRICS_SECONDS == METRICS_PHASE:
            for pod in fleet.staying:
                pod.read_usage(now)
        if now % production.scrape_seconds == SCRAPE_PHASE % production.scrape_seconds:
            for pod in fleet.staying:
                pod.scrape(now, depths.get(pod.number, 0.0), production.average_seconds)
        if now % SYNC_SECONDS == SYNC_PHASE:
            metric = None if lost[0] <= now < lost[1] else ADAPTED
            wanted = _decide(now, wanted, autoscaler, fleet, production, metric)
        if bin_.steps == BIN_SECONDS:
            p95 = quantile(bin_.waits, bin_.weights, P95)
            if len(bin_.weights):
                waits = bin_.waits
                weights = bin_.weights if not len(weights) else weights + bin_.weights
            means = (value / BIN_SECONDS for value in (bin_.load, bin_.cpu, bin_.depth))
            rows.append((*means, wanted, len(pods), bin_.arrived, bin_.lost, p95))
            bin_ = _Bin()
    mean_load, cpu, depth, wanted_, ready, arrived, lost_, p95_ = np.array(rows).T
    return Course(
        mean_load,
        wanted_,
        ready,
        cpu,
        depth,
        arrived,
        lost_,
        p95_,
        waits,
        weights,
        served,
        traffic.waiting,
        pod_seconds,
    )


def _decide(
    now: float, wanted: int, autoscaler: Autoscaler, fleet: Fleet, production: Production, queue_metric: str | None
) -> int:
    """One sync of the controller, and what follows of it."""
    specification = production.autoscaler
    pods = [pod.observed(now, production.cores, queue_metric, production.average_seconds) for pod in fleet.staying]
    proposals = [
        proposal(target, wanted, pods, now, specification.up.tolerance, specification.down.tolerance)
        for target in specification.targets
    ]
    decided = autoscaler.sync(now, wanted, proposals)
    if decided != wanted:
        fleet.scale(now, decided)
    return decided
