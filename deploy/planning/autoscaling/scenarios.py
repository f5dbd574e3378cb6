"""The days that are simulated, and what is told of them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from deploy.planning.autoscaling import day
from deploy.planning.autoscaling.cluster import Startup
from deploy.planning.autoscaling.production import Production
from deploy.planning.autoscaling.proposal import CPU
from deploy.planning.autoscaling.requests import Queue, Requests
from deploy.planning.autoscaling.simulation import Course, ideal, simulate
from deploy.planning.autoscaling.streams import Habits, Streams

Array = NDArray[np.float64]
Clients = Literal["many", "gateway"]

LOST: Final = (21 * day.HOUR, 23 * day.HOUR)  # the adapter, while the evening's load falls
NONE: Final = 1e-5  # a share that is not worth telling
TARGETS: Final = (50.0, 60.0, 70.0, 85.0)  # percent of CPU that are compared


@dataclass(frozen=True)
class Costs:
    """request_seconds, frame_seconds: of one worker, for a picture and for a stream's frame. peak_cores: that the day's
    highest load keeps busy. frame_rate: frames a second of a stream. cpu_share: of the time that a worker takes, what
    it has a core for: it waits for the others now and then, so that a pod is full below 100 % of its cores."""

    request_seconds: float
    frame_seconds: float
    peak_cores: float
    frame_rate: float = 30.0
    cpu_share: float = 1.0


@dataclass(frozen=True)
class Scenario:
    """Holds what came of a scenario. name: of files. title: says what a picture shows. ideal: (86400,) pods. target: of
    CPU, percent. load_unit, lost_word: of its panels. span: hours worth showing. failure: hours in which something
    fails. drawn: whether it is worth a picture."""

    name: str
    title: str
    course: Course
    ideal: NDArray[np.int64]
    target: float
    load_unit: str = "pictures/s"
    lost_word: str = "refused"
    span: tuple[float, float] = (0.0, 24.0)
    failure: tuple[float, float] | None = None
    drawn: bool = True

    @property
    def ideal_hours(self) -> float:
        """Pod hours of as many pods as are needed at each moment."""
        return float(self.ideal.sum()) / 3600

    @property
    def fixed_hours(self) -> float:
        """Pod hours of a fleet that never changes, and bears the highest load with CPU at its target."""
        return float(self.ideal.max()) * len(self.ideal) / 3600

    def row(self) -> list[str]:
        """The scenario's row in the table."""
        course = self.course
        return [
            self.title,
            f"{course.pod_hours:.0f}",
            f"{course.pod_hours / self.ideal_hours:.0%}",
            f"{course.pod_hours / self.fixed_hours:.0%}",
            f"{course.wanted.max():.0f}",
            percent(course.lost_share),
            percent(course.worst_share()),
            f"{course.wait() * 1e3:.0f}",
            f"{course.p95.max() * 1e3:.0f}",
        ]


HEADER: Final = [
    "day",
    "pod-hours",
    "of the ideal",
    "of a fixed fleet",
    "most pods",
    "refused or dropped",
    "in the worst minute",
    "p95 wait, ms",
    "longest p95 wait in 15 s, ms",
]
COMPARED: Final = [
    "CPU target",
    "day",
    "pod-hours",
    "most pods",
    "refused or dropped",
    "in the worst minute",
    "p95 wait, ms",
]


def percent(share: float) -> str:
    """Two digits that count."""
    if share < NONE:
        return "0"
    return f"{100 * share:.{max(0, 1 - math.floor(math.log10(100 * share)))}f} %"


@dataclass(frozen=True)
class Days:
    """Makes scenarios, all with the same load. production: as in the manifests; seed: of noise and of chance."""

    production: Production
    costs: Costs
    startup: Startup
    seed: int = 1

    def all(self) -> Iterator[Scenario]:
        """Those of the first table."""
        web = day.web(self.seed)
        yield self.requests("web", "A day of web requests", web)
        burst = self.requests(
            "burst", "Web requests, x3 within 30 s at noon for twenty minutes", day.with_burst(web, day.EVENT)
        )
        yield replace(burst, span=(11.75, 13.25))
        short = self.requests(
            "overload", "Web requests, x1.7 for two minutes at 15 h", day.with_burst(web, day.OVERLOAD)
        )
        yield replace(short, span=(14.75, 15.5))
        yield self.streams("streams", "A day of streams, each of a client of its own", "many")
        gateway = self.streams("gateway", "A day of streams, all through one gateway", "gateway")
        yield replace(gateway, drawn=False)
        most = math.floor(self.production.cores / (self.costs.frame_rate * self.costs.frame_seconds))
        settings = replace(self.production.settings, max_streams=most)
        capped = replace(self, production=replace(self.production, settings=settings))
        title = f"A day of streams, each of a client of its own, MFN_MAX_STREAMS {most}"
        yield replace(capped.streams("capped", title, "many"), drawn=False)
        lost = "Web requests, prometheus-adapter lost from 21 to 23 h"
        failure = (LOST[0] / day.HOUR, LOST[1] / day.HOUR)
        yield replace(self.requests("adapter-lost", lost, web, LOST), span=(19.0, 24.0), failure=failure)

    def requests(
        self, name: str, title: str, curve: Array, lost: tuple[float, float] = (math.inf, math.inf)
    ) -> Scenario:
        """curve: (T,) load of each second as a share of the peak."""
        production = self.production
        queue = Queue.of(production.cores, production.settings.queue_length, self.costs.request_seconds)
        busy = curve * self.costs.peak_cores
        wanted = ideal(busy, production)
        rate = busy / self.costs.cpu_share * queue.rate / production.cores
        course = simulate(production, Requests(queue), rate, int(wanted[0]), self.startup, lost, self.costs.cpu_share)
        return Scenario(name, title, course, wanted, self._target)

    def streams(self, name: str, title: str, clients: Clients) -> Scenario:
        """A day of streams. clients: one for each stream, or one gateway for all."""
        production, costs = self.production, self.costs
        habits = Habits(
            rate=costs.frame_rate,
            frame_seconds=costs.frame_seconds,
            age_seconds=production.settings.max_connection_age_seconds,
            clients=clients,
            most=production.settings.max_streams,
        )
        cores = costs.frame_rate * costs.frame_seconds * costs.cpu_share  # that a stream keeps busy
        open_ = np.round(day.streams() * costs.peak_cores / cores)
        wanted = ideal(open_ * cores, production)
        traffic = Streams(habits, production.cores, self.seed)
        course = simulate(production, traffic, open_, int(wanted[0]), self.startup, cpu_share=costs.cpu_share)
        return Scenario(name, title, course, wanted, self._target, "open streams", "dropped")

    def compared(self, done: list[Scenario]) -> Iterator[list[str]]:
        """Rows of COMPARED: the same loads with other targets of CPU. done: scenarios that are at hand already."""
        for target in TARGETS:
            days = replace(self, production=with_cpu_target(self.production, target))
            at_hand = done if target == self._target else days._three()
            for scenario in at_hand:
                _, hours, _, _, most, lost, worst, wait, _ = scenario.row()
                yield [f"{target:.0f} %", scenario.name, hours, most, lost, worst, wait]

    def _three(self) -> list[Scenario]:
        web = day.web(self.seed)
        return [
            self.requests("web", "", web),
            self.requests("burst", "", day.with_burst(web, day.EVENT)),
            self.streams("streams", "", "many"),
        ]

    @property
    def _target(self) -> float:
        return self.production.autoscaler.target(CPU).value


def with_cpu_target(production: Production, percent_: float) -> Production:
    """The same installation with another target of CPU."""
    targets = tuple(
        replace(target, value=percent_) if target.metric == CPU else target for target in production.autoscaler.targets
    )
    return replace(production, autoscaler=replace(production.autoscaler, targets=targets))
