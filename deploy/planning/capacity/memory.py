"""Memory of a server: idle, after load, for a worker more, for a stream, for a connection that says nothing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

import grpc
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc

from deploy.planning.capacity.pictures import Scene
from deploy.planning.capacity.process import resident_mb
from deploy.planning.capacity.senders import HOST, Call, channel_of
from deploy.planning.capacity.served import CLIENT_CORE, CORES, Served, started
from deploy.planning.capacity.streams import MODES, OPTIONS

SENDERS: Final = 8  # at once
FIRST, MORE = 10, 50  # streams or connections before the first look at memory, and until the second
FEED_SECONDS: Final = 2.0  # of frames, ten a second of each stream
SETTINGS: Final = (("int8", 1), ("int8", 2), ("int8", 4), ("float32", 1), ("float32", 2))


def servers(call: Call, requests: int) -> list[dict[str, Any]]:
    """MB of servers of both precisions and some numbers of workers, idle and after load."""
    rows = []
    for precision, workers in SETTINGS:
        with started(set(CORES), CLIENT_CORE, MFN_PRECISION=precision, MFN_WORKERS=str(workers)) as served:
            idle = resident_mb(served.pid)
            with ThreadPoolExecutor(SENDERS) as pool:
                list(pool.map(partial(_send, call, served), [requests // SENDERS] * SENDERS))
            figures = {"idle_mb": round(idle, 1), "loaded_mb": round(resident_mb(served.pid), 1)}
            rows.append({"server": precision, "workers": workers, **figures})
    return rows


def _send(call: Call, served: Served, count: int) -> None:
    with call.sender(served) as send:
        for _ in range(count):
            send()


def stream_kb(served: Served, scene: Scene) -> float:
    """KiB of a stream that follows, its connection included: the slope from FIRST to MORE + FIRST."""

    async def look() -> float:
        async with asyncio.TaskGroup() as group:
            ending = asyncio.Event()
            for _ in range(FIRST):
                group.create_task(_feed(served, scene, ending))
            await asyncio.sleep(FEED_SECONDS)
            before = resident_mb(served.pid)
            for _ in range(MORE):
                group.create_task(_feed(served, scene, ending))
            await asyncio.sleep(2 * FEED_SECONDS)
            after = resident_mb(served.pid)
            ending.set()
        return (after - before) / MORE * 1024

    return asyncio.run(look())


async def _feed(served: Served, scene: Scene, ending: asyncio.Event) -> None:
    """A slow stream, since it is its memory that matters."""
    async with grpc.aio.insecure_channel(f"{HOST}:{served.grpc_port}", OPTIONS) as channel:
        call = retarget_pb2_grpc.RetargetServiceStub(channel).RetargetStream()
        await call.write(pb.RetargetStreamRequest(config=MODES["follow"]))
        await call.read()
        number = 0
        while not ending.is_set():
            image = scene.images[number % len(scene.images)]
            frame = pb.Frame(sequence=number, timestamp_us=number * 500_000 + 1, image=image)
            await call.write(pb.RetargetStreamRequest(frame=frame))
            await call.read()
            number += 1
            await asyncio.sleep(0.5)
        await call.done_writing()


def connection_kb(served: Served) -> float:
    """KiB of a gRPC connection over which nothing is under way."""
    with ExitStack() as held:
        sizes = []
        for count in (FIRST, 4 * MORE):
            for _ in range(count):
                channel = held.enter_context(channel_of(served))
                retarget_pb2_grpc.RetargetServiceStub(channel).GetModel(pb.GetModelRequest())
            sizes.append(resident_mb(served.pid))
        return (sizes[1] - sizes[0]) / (4 * MORE) * 1024
