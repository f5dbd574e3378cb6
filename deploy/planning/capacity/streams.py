"""Streams at 30 frames a second at one core: CPU time of a frame, and how many streams the core bears."""

import asyncio
import gc
import random
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import grpc
import numpy as np
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc

from deploy.planning.capacity.pictures import Scene
from deploy.planning.capacity.process import spent
from deploy.planning.capacity.senders import HOST
from deploy.planning.capacity.served import Served
from deploy.planning.capacity.sizing import FPS

WARM_SECONDS: Final = 0.7  # of each run, that are not counted: the streams open, the first searches are made
MOST_DROPPED: Final = 0.01  # of the frames
MOST_MS: Final = 1e3 / FPS  # 99 % of the answers are there before the next frame is taken
FIRST_SHARE: Final = 0.7  # of the streams that CPU time alone would allow: where the ladder begins
MOST_RUNGS: Final = 8
OPTIONS: Final = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
MODES: Final = {
    "search": pb.StreamConfig(),
    "refine": pb.StreamConfig(options=pb.Options(refine=True)),
    "follow": pb.StreamConfig(follow=True),
    "follow, refine": pb.StreamConfig(follow=True, options=pb.Options(refine=True)),
    "follow, smoothing": pb.StreamConfig(follow=True, smoothing=pb.Smoothing()),
}


@dataclass(frozen=True)
class Case:
    """Describes the streams of a run. server: its precision."""

    server: str
    scene: Scene
    mode: str

    def named(self) -> dict[str, Any]:
        """What identifies the case in the figures."""
        return {"server": self.server, "format": self.scene.name, "mode": self.mode, "faces": self.scene.faces}


@dataclass
class Run:
    """Holds what came of so many streams. sent, answered: frames. dropped: by the server. wrong: with other faces than
    the scene has. ms: from when a frame was due until its answer is there. late_ms: until it was sent. Of cores' time:
    the shares."""

    streams: int
    sent: int
    dropped: int
    wrong: int
    ms: list[float]
    late_ms: list[float]
    cpu_ms: float
    loop_ms: float
    server_share: float
    client_share: float

    @property
    def p99(self) -> float:
        """99th percentile of the milliseconds from when a frame was due to its answer; infinite where none came."""
        return float(np.percentile(self.ms, 99)) if self.ms else float("inf")

    @property
    def borne(self) -> bool:
        """Whether the core bears the streams: few frames are dropped and nearly all are answered in time."""
        return self.dropped <= MOST_DROPPED * self.sent and self.p99 <= MOST_MS

    def figures(self) -> dict[str, Any]:
        """The run's figures, rounded."""
        shares = {"server_share": self.server_share, "client_share": self.client_share}
        late = float(np.percentile(self.late_ms, 99))
        figures = {"cpu_ms": self.cpu_ms, "dropped": self.dropped / self.sent, "p99_ms": self.p99, "late_p99_ms": late}
        return {"streams": self.streams} | {key: round(value, 4) for key, value in (figures | shares).items()}


class _Stream:
    """One client: a connection, a stream, a clock of its own that is not in step with the others'."""

    def __init__(self, case: Case, start: float) -> None:
        self.case, self.start = case, start
        self.due: dict[int, float] = {}
        self.rows: list[tuple[float, float, int, bool]] = []  # due, milliseconds, dropped so far, as expected
        self.late: list[tuple[float, float]] = []

    async def _messages(self, end: float) -> AsyncIterator[pb.RetargetStreamRequest]:
        yield pb.RetargetStreamRequest(config=MODES[self.case.mode])
        images, number = self.case.scene.images, 0
        while (due := self.start + number / FPS) < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            image = images[number % len(images)]
            self.due[number] = due
            self.late.append((due, (time.perf_counter() - due) * 1e3))
            frame = pb.Frame(sequence=number, timestamp_us=round(number * 1e6 / FPS), image=image)
            yield pb.RetargetStreamRequest(frame=frame)
            number += 1

    async def run(self, served: Served, end: float) -> None:
        async with grpc.aio.insecure_channel(f"{HOST}:{served.grpc_port}", OPTIONS) as channel:
            async for response in retarget_pb2_grpc.RetargetServiceStub(channel).RetargetStream(self._messages(end)):
                if response.WhichOneof("message") == "answer":
                    answer, now = response.answer, time.perf_counter()
                    due = self.due.pop(answer.sequence)
                    good = len(answer.faces) == self.case.scene.faces
                    self.rows.append((due, (now - due) * 1e3, answer.dropped, good))


def run(served: Served, case: Case, count: int, seconds: float) -> Run:
    """So many streams for so many seconds after those in which they warm up."""

    async def scene() -> Run:
        chance = random.Random(count)
        start = time.perf_counter() + 0.1
        counted = start + WARM_SECONDS
        end = counted + seconds
        streams = [_Stream(case, start + chance.random() / FPS) for _ in range(count)]
        tasks = [asyncio.create_task(stream.run(served, end)) for stream in streams]
        await asyncio.sleep(counted - time.perf_counter())
        before, mine, began = spent(served.pid), time.process_time(), time.perf_counter()
        await asyncio.sleep(end - time.perf_counter())
        took, used = time.perf_counter() - began, spent(served.pid) - before
        client = (time.process_time() - mine) / took
        await asyncio.gather(*tasks)
        rows = [[row for row in stream.rows if row[0] >= counted] for stream in streams]
        dropped = sum(last[-1][2] - last[0][2] for last in rows if last)
        ms = [row[1] for of_stream in rows for row in of_stream]
        wrong = sum(not row[3] for of_stream in rows for row in of_stream)
        late = [ms for stream in streams for due, ms in stream.late if due >= counted]
        answered = max(1, len(ms))
        cpu_ms, loop_ms = used.process / answered * 1e3, used.loop / answered * 1e3
        return Run(count, len(late), dropped, wrong, ms, late, cpu_ms, loop_ms, used.process / took, client)

    gc.collect()
    gc.disable()  # a client that stops to collect garbage sends late, and would find the server slow
    try:
        return asyncio.run(scene())
    finally:
        gc.enable()


def frames(servers: dict[str, Served], cases: list[Case], rounds: int, seconds: float) -> list[dict[str, Any]]:
    """CPU time of a frame of every case, in turn, round after round, at a load that the core bears with ease."""
    taken: list[list[Run]] = [[] for _ in cases]
    for _ in range(rounds):
        for case, runs in zip(cases, taken, strict=True):
            runs.append(run(servers[case.server], case, 3 if case.server == "int8" else 2, seconds))
    return [case.named() | _summary(runs) for case, runs in zip(cases, taken, strict=True)]


def _summary(runs: list[Run]) -> dict[str, Any]:
    cpu = [one.cpu_ms for one in runs]
    return {
        "cpu_ms": round(statistics.median(cpu), 4),
        "cpu_ms_least": round(min(cpu), 4),
        "cpu_ms_most": round(max(cpu), 4),
        "loop_ms": round(statistics.median(one.loop_ms for one in runs), 4),
        "client_share": round(max(one.client_share for one in runs), 4),
        "dropped": sum(one.dropped for one in runs) / sum(one.sent for one in runs),
        "wrong": sum(one.wrong for one in runs) / sum(one.sent for one in runs),
        "rounds": len(runs),
    }


def ladder(served: Served, case: Case, cpu_ms: float, seconds: float) -> dict[str, Any]:
    """The most streams that are borne, of rungs a tenth apart, and the first number that is not, twice in turn.

    cpu_ms: of a frame.
    """
    predicted = 1e3 / (FPS * cpu_ms)
    step = max(1, round(predicted / 10))
    count = max(1, round(predicted * FIRST_SHARE))
    borne: Run | None = None
    refused: Run | None = None
    for _ in range(MOST_RUNGS):
        rung = run(served, case, count, seconds)
        if not rung.borne:
            again = run(served, case, count, seconds)
            rung = again if again.borne else min((rung, again), key=lambda one: one.p99)
        if rung.borne:
            borne = rung
        elif refused is None or rung.streams < refused.streams:
            refused = rung
        if borne is not None and refused is not None:
            break
        count += step if rung.borne else -step
        if count < 1:
            break
    return case.named() | {
        "predicted": round(predicted, 2),
        "borne": None if borne is None else borne.figures(),
        "refused": None if refused is None else refused.figures(),
    }
