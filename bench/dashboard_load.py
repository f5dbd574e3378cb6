"""The load under which bench.dashboard looks at a server: by REST, gRPC, streams and WebSocket, mistakes included."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Final

import grpc
import httpx2
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc
from websockets.asyncio.client import connect

from bench.server import Served

PATIENCE_SECONDS: Final = 60.0
REST_SENDERS: Final = 3
FRAME_SECONDS: Final = 0.02
PAUSE_SECONDS: Final = 0.05


async def load(served: Served, roots: bytes, picture: bytes, seconds: float) -> None:
    """Sends load over every transport, for so long, all over TLS. Whatever becomes of a request, the next one follows.

    roots: the certificates that are trusted, PEM."""
    end = time.monotonic() + seconds

    async def over_rest(client: httpx2.AsyncClient) -> None:
        for number in itertools.count():
            if time.monotonic() > end:
                return
            query = ("", "", "?refine=true", "?min_score=7")[number % 4]
            body = b"no picture" if number % 8 == 5 else picture
            await client.post(f"{served.url}/retarget{query}", content=body, headers={"Content-Type": "image/jpeg"})
            await asyncio.sleep(PAUSE_SECONDS)

    async def over_grpc(stub: retarget_pb2_grpc.RetargetServiceStub) -> None:
        for number in itertools.count():
            if time.monotonic() > end:
                return
            with contextlib.suppress(grpc.aio.AioRpcError):
                body = b"no picture" if number % 8 == 5 else picture
                await stub.Retarget(pb.RetargetRequest(image=pb.Image(encoded=body)), timeout=PATIENCE_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)

    async def over_a_stream(stub: retarget_pb2_grpc.RetargetServiceStub) -> None:
        call = stub.RetargetStream()
        await call.write(pb.RetargetStreamRequest(config=pb.StreamConfig(drop_policy=pb.DROP_POLICY_LATEST)))

        async def send(number: int) -> None:
            frame = pb.Frame(sequence=number, timestamp_us=time.monotonic_ns() // 1000, image=pb.Image(encoded=picture))
            await call.write(pb.RetargetStreamRequest(frame=frame))

        async with asyncio.TaskGroup() as both:
            both.create_task(_frames(send, end, call.done_writing))
            async for _ in call:
                pass

    async def over_a_socket() -> None:
        async with connect(
            f"wss://127.0.0.1:{served.http_port}/retarget/stream", ssl=served.trust, max_size=None
        ) as socket:
            await socket.send("{}")

            async def send(_: int) -> None:
                await socket.send(picture)

            async with asyncio.TaskGroup() as both:
                both.create_task(_frames(send, end, socket.close))
                async for _ in socket:
                    pass

    async with (
        httpx2.AsyncClient(timeout=PATIENCE_SECONDS, verify=served.trust or True) as client,
        grpc.aio.secure_channel(f"127.0.0.1:{served.grpc_port}", grpc.ssl_channel_credentials(roots)) as channel,
        asyncio.TaskGroup() as senders,
    ):
        stub = retarget_pb2_grpc.RetargetServiceStub(channel)
        for work in (over_grpc(stub), over_a_stream(stub), over_a_socket()):
            senders.create_task(work)
        for _ in range(REST_SENDERS):
            senders.create_task(over_rest(client))


async def _frames(send: Callable[[int], Awaitable[None]], end: float, finish: Callable[[], Awaitable[None]]) -> None:
    for number in itertools.count(1):
        if time.monotonic() > end:
            break
        await send(number)
        await asyncio.sleep(FRAME_SECONDS)
    await finish()
