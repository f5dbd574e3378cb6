"""What a server's memory does over very many small requests and streams.

    python -m bench.soak [--requests 1000000] [--streams 50000]

The requests are sent over HTTP/1.1 (70 %: probes, /model, pictures that are refused, and one small picture in two
hundred) and over gRPC (30 %: GetModel and pictures that are refused). The streams are opened, configured and closed,
half over gRPC and half over WebSocket; each fiftieth also sends a frame. The memory that lies in RAM is read after each
hundredth of each part; the last reading is compared with the first one. Exits 1 where it has grown by over 5 %.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from io import BytesIO
from typing import Final

import grpc
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc
from PIL import Image
from websockets.asyncio.client import connect

from bench.server import Served, server

MEMORY_GROWTH: Final = 0.05
PARTS: Final = 100
CONNECTIONS: Final = 8
PIPELINED: Final = 10  # requests that are sent at once over a connection
HTTP_SHARE: Final = 0.7
FRAME_EVERY: Final = 50  # streams


def _small_picture() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (32, 32), (90, 100, 110)).save(buffer, "PNG")
    return buffer.getvalue()


def _http_requests() -> list[bytes]:
    """Two hundred requests, in groups of PIPELINED."""
    get = [f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in ("/livez", "/readyz", "/model")]

    def post(body: bytes) -> bytes:
        head = f"POST /retarget HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    requests = [get[0]] * 120 + [get[1]] * 30 + [get[2]] * 20 + [post(b"no picture")] * 29 + [post(_small_picture())]
    count = len(requests) // PIPELINED
    return [b"".join(requests[i::count]) for i in range(count)]


async def _read_answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)


async def send_over_http(served: Served, count: int) -> None:
    """Sends `count` requests over a few kept connections."""
    groups = _http_requests()

    async def send(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.http_port)
        for i in range(count // CONNECTIONS // PIPELINED):
            writer.write(groups[(i + number) % len(groups)])
            for _ in range(PIPELINED):
                await _read_answer(reader)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(send(number) for number in range(CONNECTIONS)))


async def send_over_grpc(served: Served, count: int) -> None:
    """Sends `count` calls over one channel, CONNECTIONS at a time."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{served.grpc_port}") as channel:
        stub = retarget_pb2_grpc.RetargetServiceStub(channel)
        bad = pb.RetargetRequest(image=pb.Image(encoded=b"no picture"))

        async def send() -> None:
            for i in range(count // CONNECTIONS):
                if i % 4:
                    await stub.GetModel(pb.GetModelRequest())
                    continue
                try:
                    await stub.Retarget(bad)
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.INVALID_ARGUMENT:
                        raise

        await asyncio.gather(*(send() for _ in range(CONNECTIONS)))


async def open_grpc_streams(served: Served, count: int) -> None:
    """Opens and closes `count` streams over one channel, CONNECTIONS at a time."""
    frame = pb.Frame(sequence=1, timestamp_us=1, image=pb.Image(encoded=_small_picture()))

    def messages(number: int) -> Iterator[pb.RetargetStreamRequest]:
        yield pb.RetargetStreamRequest(config=pb.StreamConfig())
        if number % FRAME_EVERY == 0:
            yield pb.RetargetStreamRequest(frame=frame)

    async with grpc.aio.insecure_channel(f"127.0.0.1:{served.grpc_port}") as channel:
        stub = retarget_pb2_grpc.RetargetServiceStub(channel)

        async def send() -> None:
            for number in range(count // CONNECTIONS):
                async for _ in stub.RetargetStream(messages(number)):
                    pass

        await asyncio.gather(*(send() for _ in range(CONNECTIONS)))


async def open_websockets(served: Served, count: int) -> None:
    """Opens and closes `count` WebSocket streams, CONNECTIONS at a time."""
    picture = _small_picture()

    async def send() -> None:
        for number in range(count // CONNECTIONS):
            async with connect(f"ws://127.0.0.1:{served.http_port}/retarget/stream", proxy=None) as client:
                await client.send("{}")
                await client.recv()
                if number % FRAME_EVERY == 0:
                    await client.send(picture)
                    await client.recv()

    await asyncio.gather(*(send() for _ in range(CONNECTIONS)))


async def measure(name: str, served: Served, send: Callable[[int], Awaitable[None]], count: int) -> bool:
    """Sends `count` in PARTS parts and prints the memory. Returns whether it has grown too much."""
    memory = []
    for _ in range(PARTS):
        await send(count // PARTS)
        memory.append(served.resident_mb())
    growth = memory[-1] / memory[0] - 1
    print(
        f"{count:,} {name}: {memory[0]:.1f} MB after 1 %, {memory[PARTS // 2]:.1f} after half, {memory[-1]:.1f} at the "
        f"end ({growth:+.1%}); at most {max(memory):.1f}",
        flush=True,
    )
    return growth > MEMORY_GROWTH


async def soak(served: Served, requests: int, streams: int) -> bool:
    """Runs both parts. Returns whether memory has grown too much in one of them."""

    async def send_requests(count: int) -> None:
        over_http = round(count * HTTP_SHARE)
        await send_over_http(served, over_http)
        await send_over_grpc(served, count - over_http)

    async def open_streams(count: int) -> None:
        await open_grpc_streams(served, count // 2)
        await open_websockets(served, count - count // 2)

    grown = await measure("requests", served, send_requests, requests)
    return await measure("streams", served, open_streams, streams) or grown


def main() -> int:
    """Runs the server and both parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--streams", type=int, default=50_000)
    arguments = parser.parse_args()
    with server(settings={"MFN_LOG_LEVEL": "error"}) as served:
        return int(asyncio.run(soak(served, arguments.requests, arguments.streams)))


if __name__ == "__main__":
    sys.exit(main())
