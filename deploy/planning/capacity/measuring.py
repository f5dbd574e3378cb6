"""Takes the figures, a part at a time: those that need a quiet machine are apart from those that do not."""

import dataclasses
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from bench.group_pictures import group_pictures
from bench.results import machine
from deploy.planning.capacity import calls, memory, messages, siblings, streams
from deploy.planning.capacity.pictures import Scene, scenes
from deploy.planning.capacity.senders import Call
from deploy.planning.capacity.served import CLIENT_CORE, CORES, SERVER_CORE, Served, certificate_in, started
from deploy.planning.capacity.streams import Case

PRECISIONS: Final = ("int8", "float32")
ALL_MODES: Final = ("search", "refine", "follow", "follow, refine")
CROWD_MODES: Final = ("search", "refine", "follow")
LADDER: Final = (  # (server, format, mode)
    ("int8", "JPEG 640 x 480", "search"),
    ("int8", "JPEG 640 x 480", "refine"),
    ("int8", "JPEG 640 x 480", "follow"),
    ("int8", "RGB 288 x 288", "search"),
    ("int8", "RGB 288 x 288", "follow"),
    ("int8", "JPEG 640 x 360", "search"),
    ("float32", "JPEG 640 x 480", "search"),
    ("float32", "JPEG 640 x 480", "follow"),
)
WORKERS: Final = (1, 2, 3)  # of a server that has all cores, its clients on the same ones


@dataclass(frozen=True)
class Lengths:
    """Seconds of a run, rounds of them, and requests of the memory's load."""

    call_seconds: float = 0.8
    call_rounds: int = 4
    frame_seconds: float = 1.5
    frame_rounds: int = 3
    rung_seconds: float = 5.0
    requests: int = 400


QUICK: Final = Lengths(0.2, 2, 0.5, 1, 0.5, 40)


class Measuring:
    """Takes the measurements. figures: what is kept of this processor's family; each part replaces its own."""

    def __init__(self, figures: dict[str, Any], lengths: Lengths) -> None:
        self.figures, self._lengths = figures, lengths

    @cached_property
    def parts(self) -> dict[str, Callable[[], None]]:
        """The parts by name, in the order in which they are taken."""
        return {
            "calls": self._calls,
            "frames": self._frames,
            "ladder": self._ladder,
            "workers": self._workers,
            "memory": self._memory,
            "messages": self._messages,
        }

    @cached_property
    def _groups(self) -> dict[int, Any]:
        return group_pictures()

    @cached_property
    def _scenes(self) -> dict[str, Scene]:
        return {scene.name: scene for scene in scenes(self._groups[1], self._groups[9])}

    @cached_property
    def _kinds(self) -> list[Call]:
        return calls.calls(self._groups)

    def _calls(self) -> None:
        self.figures["machine"] = machine()
        lengths = self._lengths
        with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
            servers = {name: held.enter_context(_on_one_core(name)) for name in PRECISIONS}
            rows = calls.measure(servers, self._kinds, lengths.call_rounds, lengths.call_seconds)
            settings = certificate_in(Path(folder))
            over_tls = {"int8": held.enter_context(started(SERVER_CORE, CLIENT_CORE, **settings))}
            plain = [call for call in self._kinds if call.faces == 1 and call.name in ("REST", "gRPC, JPEG")]
            tls = [dataclasses.replace(call, name=f"{call.name}, TLS") for call in plain]
            rows += calls.measure(over_tls, tls, lengths.call_rounds, lengths.call_seconds)
        self.figures["calls"] = rows

    def _frames(self) -> None:
        cases = [
            Case(server, scene, mode)
            for server in PRECISIONS
            for scene in self._scenes.values()
            for mode in (ALL_MODES if scene.faces == 1 else CROWD_MODES)
        ]
        cases.append(Case("int8", self._scenes["JPEG 640 x 480"], "follow, smoothing"))
        with ExitStack() as held:
            servers = {name: held.enter_context(_on_one_core(name)) for name in PRECISIONS}
            rows = streams.frames(servers, cases, self._lengths.frame_rounds, self._lengths.frame_seconds)
        self.figures["frames"] = rows
        self.figures["formats"] = {scene.name: round(scene.bytes_in) for scene in self._scenes.values()}

    def _ladder(self) -> None:
        cost = {(row["server"], row["format"], row["mode"]): row["cpu_ms"] for row in self.figures["frames"]}
        rows = []
        with ExitStack() as held:
            servers: dict[str, Served] = {name: held.enter_context(_on_one_core(name)) for name in PRECISIONS}
            for server, scene, mode in LADDER:
                case = Case(server, self._scenes[scene], mode)
                cpu_ms = cost[server, scene, mode]
                rows.append(streams.ladder(servers[server], case, cpu_ms, self._lengths.rung_seconds))
        self.figures["ladder"] = rows

    def _workers(self) -> None:
        lengths, call, rows = self._lengths, self._kinds[0], []
        with ExitStack() as held:
            servers = {}
            for workers in WORKERS:
                running = started(set(CORES), set(CORES), MFN_WORKERS=str(workers))
                servers[f"{workers}"] = held.enter_context(running)
            rows = calls.measure(servers, [call], lengths.call_rounds, lengths.call_seconds, clients=4)
        self.figures["workers"] = rows
        self.figures["siblings"] = round(siblings.slowdown(lengths.call_seconds, lengths.call_rounds), 3)

    def _memory(self) -> None:
        refine = next(call for call in self._kinds if call.name == "REST, refine" and call.faces == 5)
        rows = memory.servers(refine, self._lengths.requests)
        with started(set(CORES), CLIENT_CORE) as served:
            stream_kb = memory.stream_kb(served, self._scenes["JPEG 640 x 480"])
        with started(set(CORES), CLIENT_CORE) as served:
            connection_kb = memory.connection_kb(served)
        self.figures["memory"] = {
            "servers": rows,
            "stream_kb": round(stream_kb, 1),
            "connection_kb": round(connection_kb, 1),
        }

    def _messages(self) -> None:
        with started(set(CORES), CLIENT_CORE) as served:
            self.figures["answers"] = messages.answers(served, self._groups)
            calls.check(self._kinds[-1], served)  # has the metrics for gRPC's single pictures, too
            self.figures["series"] = messages.series(served)
        self.figures["pictures"] = {call.faces: len(call.body) for call in self._kinds if call.query is not None}


def _on_one_core(precision: str) -> Any:
    return started(SERVER_CORE, CLIENT_CORE, MFN_PRECISION=precision)
