"""Pods from their being wanted to their end, and the nodes they need."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from deploy.planning.autoscaling.proposal import CPU, Observed, Sample

NODE_IDLE_SECONDS: Final = 600.0  # of the cluster autoscaler: --scale-down-unneeded-time


@dataclass(frozen=True)
class Startup:
    """What it takes until a pod gets traffic; seconds.

    schedule: until a node with room has it. pull: the image. start: the server, from process to open ports, measured
    (bench/RESULTS.md). probe: between two startup probes, the manifest's. announce: until all who send know it.
    node: until a node that was ordered is there; pods_per_node fit on one, and spare_nodes are kept empty.
    """

    schedule: float = 1.0
    pull: float = 5.0
    start: float = 0.65
    probe: float = 2.0
    announce: float = 2.0
    node: float = 90.0
    pods_per_node: int = 4
    spare_nodes: int = 2

    @property
    def until_running(self) -> float:
        """Seconds from a pod's creation to its container's start."""
        return self.schedule + self.pull

    @property
    def until_ready(self) -> float:
        """From the container's start; probes come at its start and every so often after."""
        return math.ceil(self.start / self.probe) * self.probe


@dataclass
class Pod:
    """Times in seconds, None where it has not come to that. taken: by a node. cpu: core seconds used so far. usage:
    what metrics-server read of them, with the times. depths: scraped, with the times."""

    number: int
    created: float
    taken: float | None = None
    running: float | None = None
    ready: float | None = None
    ending: float | None = None
    cpu: float = 0.0
    usage: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=2))
    depths: deque[tuple[float, float]] = field(default_factory=deque)

    def read_usage(self, now: float) -> None:
        """Notes the CPU that the pod uses now, once it runs."""
        if self.running is not None:
            self.usage.append((now, self.cpu))

    def scrape(self, now: float, depth: float, kept: float) -> None:
        """depth: pictures that wait. kept: seconds that a sample is needed."""
        if self.running is None:
            return
        self.depths.append((now, depth))
        while self.depths[0][0] <= now - kept:
            self.depths.popleft()

    def observed(self, now: float, cores: int, queue_metric: str | None, average_seconds: float) -> Observed:
        """What the autoscaler's controller sees. cores: requested. queue_metric: its name, None where it is lost."""
        samples = {}
        if len(self.usage) == 2:
            (before, less), (taken, more) = self.usage
            samples[CPU] = Sample(100 * (more - less) / (taken - before) / cores, taken, taken - before)
        recent = [depth for time, depth in self.depths if time > now - average_seconds]
        if queue_metric is not None and recent:
            samples[queue_metric] = Sample(sum(recent) / len(recent), now, average_seconds)
        started = self.taken if self.running is not None else None
        turned = self.ready if self.ready is not None else self.created
        return Observed(started, self.ready is not None, turned, samples)


class Nodes:
    """Holds as many nodes as the pods need and some to spare; one that is lacking is ordered at once and comes
    later."""

    def __init__(self, startup: Startup, pods: int) -> None:
        self._startup = startup
        self._count = self._needed(pods)
        self._ordered: deque[float] = deque()
        self._idle_since = math.inf

    @property
    def room(self) -> int:
        """Pods that fit."""
        return self._count * self._startup.pods_per_node

    def step(self, now: float, pods: int) -> None:
        """pods: that have a node or want one."""
        while self._ordered and self._ordered[0] <= now:
            self._ordered.popleft()
            self._count += 1
        needed = self._needed(pods)
        for _ in range(needed - self._count - len(self._ordered)):
            self._ordered.append(now + self._startup.node)
        if needed >= self._count:
            self._idle_since = math.inf
        else:
            self._idle_since = min(self._idle_since, now)
            if now - self._idle_since >= NODE_IDLE_SECONDS:
                self._count, self._idle_since = needed, math.inf

    def _needed(self, pods: int) -> int:
        return math.ceil(pods / self._startup.pods_per_node) + self._startup.spare_nodes


class Fleet:
    """The Deployment's pods."""

    def __init__(self, startup: Startup, drain_seconds: float, replicas: int) -> None:
        """drain_seconds: that a pod goes on after it was told to end. replicas: that are there and ready at time 0."""
        self._startup = startup
        self._drain_seconds = drain_seconds
        self.pods = [Pod(number, 0.0, 0.0, 0.0, -startup.announce) for number in range(replicas)]
        self._numbers = replicas
        self._nodes = Nodes(startup, replicas)

    @property
    def staying(self) -> list[Pod]:
        """Those that are not about to end."""
        return [pod for pod in self.pods if pod.ending is None]

    def sending_to(self, now: float) -> list[Pod]:
        """Those that those who send know to be ready."""
        known = now - self._startup.announce
        return [pod for pod in self.staying if pod.ready is not None and pod.ready <= known]

    def scale(self, now: float, replicas: int) -> None:
        """New pods, or an end to some: first to those that are not ready, then to the youngest, as a ReplicaSet does
        where nodes are equal (it takes those of about the same age for equal)."""
        staying = self.staying
        for _ in range(replicas - len(staying)):
            self.pods.append(Pod(self._numbers, now))
            self._numbers += 1
        staying.sort(key=lambda pod: (pod.ready is None, pod.created, pod.number))
        for pod in staying[replicas:]:
            pod.ending = now

    def step(self, now: float) -> None:
        """What has become of the pods by now."""
        startup = self._startup
        self.pods = [pod for pod in self.pods if pod.ending is None or not self._gone(pod, now)]
        self._nodes.step(now, len(self.pods))
        taken = sum(pod.taken is not None for pod in self.pods)
        for pod in self.pods:
            if pod.taken is None and pod.ending is None and taken < self._nodes.room:
                pod.taken = now
                taken += 1
            if pod.taken is not None and pod.running is None and now >= pod.taken + startup.until_running:
                pod.running = now
            if pod.running is not None and pod.ready is None and now >= pod.running + startup.until_ready:
                pod.ready = now

    def _gone(self, pod: Pod, now: float) -> bool:
        assert pod.ending is not None
        return pod.running is None or now >= pod.ending + self._drain_seconds
