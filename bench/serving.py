"""What serving costs beyond the networks, and how the server bears load: `python -m bench.serving [--quick]`.

Prints a table, and with --results writes it into bench/RESULTS.md. MFN_PRECISION and the other settings hold for all of
it. Nothing else should run on the machine.

    throughput   POST /retarget from as many clients as keep every core busy, against decoding and running the network
                 in as many threads without a server; ten short rounds in turn, the median of their ratios
    unary        gRPC Retarget of a raw 288 x 288 picture, one client: time less the networks' own
    stream       one stream at 30 frames a second of 640 x 480 JPEG: time from a frame sent to its answer received,
                 over the median of its inference alone
    memory       resident, after 10,000 requests and 100 streams, against after 200 requests
    overload     200 clients at once against a queue of 32: codes of the answers
    start        from the start of the process until /readyz is 200
"""

import argparse
import asyncio
import os
import socket
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import grpc
import httpx2
import numpy as np
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc

from bench.burst import burst
from bench.results import machine, table, write_figures
from bench.server import Served, photo, server
from service.inference.execution import Execution
from service.inference.models import Models
from service.settings import Settings
from service.vision.image import decode
from service.vision.letterbox import Letterbox

JPEG = {"Content-Type": "image/jpeg"}
CORES = len(os.sched_getaffinity(0))
CLIENTS = 2 * CORES  # enough that a worker always finds the next picture waiting
OPENING = """## Serving

`python -m bench.serving --results`: a server in a process of its own, clients beside it on the same cores."""


def rate_of(work: Callable[[], None], threads: int, seconds: float) -> float:
    """How many times a second `work` gets done in so many threads."""
    end = time.perf_counter() + seconds

    def loop(_: int) -> int:
        done = 0
        while time.perf_counter() < end:
            work()
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        start = time.perf_counter()
        done = sum(pool.map(loop, range(threads)))
        return done / (time.perf_counter() - start)


def throughput(
    served: Served, settings: Settings, picture: bytes, rounds: int, seconds: float
) -> tuple[float, float, float]:
    """Requests a second over HTTP, the same without a server, and the median of their ratios."""
    execution = Execution(settings.precision, settings.execution_provider, settings.intra_op_threads, runs=CORES)
    models = Models.load(settings.models_dir, execution)
    local = threading.local()

    def bare() -> None:
        decoded = decode(picture, models.side, settings.max_megapixels)
        square = Letterbox.fit(decoded.width, decoded.height, models.side).apply(decoded.pixels)
        models.mfn.run(square[None])

    request = request_of(picture)

    def over_http() -> None:
        """A client that costs next to nothing, for it runs on the cores that it measures."""
        if not hasattr(local, "connection"):
            local.connection = socket.create_connection(("127.0.0.1", served.http_port))
            local.answers = local.connection.makefile("rb")
        local.connection.sendall(request)
        if b" 200 " not in local.answers.readline():
            sys.exit("A request was refused.")
        length = 0
        while (line := local.answers.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        local.answers.read(length)

    pairs = [(rate_of(over_http, CLIENTS, seconds), rate_of(bare, CORES, seconds)) for _ in range(rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return ours, theirs, statistics.median(a / b for a, b in pairs)


def request_of(picture: bytes) -> bytes:
    """The bytes of a POST /retarget."""
    head = f"POST /retarget HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode() + picture


def unary(served: Served, count: int) -> tuple[float, float]:
    """Median and 99th percentile of the milliseconds beyond inference."""
    side = 288
    image = pb.RawPixels(format=pb.PIXEL_FORMAT_RGB, width=side, height=side, data=os.urandom(side * side * 3))
    request = pb.RetargetRequest(image=pb.Image(raw=image))
    beyond = []
    with grpc.insecure_channel(f"127.0.0.1:{served.grpc_port}") as channel:
        stub = retarget_pb2_grpc.RetargetServiceStub(channel)
        for _ in range(count):
            start = time.perf_counter()
            answer = stub.Retarget(request)
            beyond.append((time.perf_counter() - start) * 1e3 - answer.timing.inference)
    beyond = beyond[len(beyond) // 10 :]
    return statistics.median(beyond), float(np.percentile(beyond, 99))


def stream(served: Served, picture: bytes, frames: int, fps: float = 30) -> tuple[float, float, float, int]:
    """Median and 99th percentile of milliseconds from sending to receiving, median of inference, frames dropped."""

    async def scene() -> tuple[float, float, float, int]:
        sent: dict[int, float] = {}

        async def messages() -> AsyncIterator[pb.RetargetStreamRequest]:
            yield pb.RetargetStreamRequest(config=pb.StreamConfig())
            start = time.perf_counter()
            for number in range(frames):
                await asyncio.sleep(max(0.0, start + number / fps - time.perf_counter()))
                frame = pb.Frame(
                    sequence=number, timestamp_us=round(number * 1e6 / fps), image=pb.Image(encoded=picture)
                )
                sent[number] = time.perf_counter()
                yield pb.RetargetStreamRequest(frame=frame)

        latencies, inference, dropped = [], [], 0
        async with grpc.aio.insecure_channel(f"127.0.0.1:{served.grpc_port}") as channel:
            async for response in retarget_pb2_grpc.RetargetServiceStub(channel).RetargetStream(messages()):
                if response.WhichOneof("message") == "answer":
                    latencies.append((time.perf_counter() - sent[response.answer.sequence]) * 1e3)
                    inference.append(response.answer.timing.inference)
                    dropped = response.answer.dropped
        return statistics.median(latencies), float(np.percentile(latencies, 99)), statistics.median(inference), dropped

    return asyncio.run(scene())


def memory(served: Served, picture: bytes, requests: int, streams: int) -> tuple[float, float]:
    """MB after 200 requests, and after all requests and streams."""

    def post(count: int) -> None:
        with httpx2.Client(base_url=served.url, timeout=30) as client:
            for _ in range(count):
                client.post("/retarget?refine=true", content=picture, headers=JPEG).raise_for_status()

    def drop_a_stream(number: int) -> None:
        def messages() -> Iterator[pb.RetargetStreamRequest]:
            yield pb.RetargetStreamRequest(config=pb.StreamConfig(smoothing=pb.Smoothing()))
            for n in range(10):
                frame = pb.Frame(sequence=n, timestamp_us=n * 33_333, image=pb.Image(encoded=picture))
                yield pb.RetargetStreamRequest(frame=frame)
            time.sleep(0.05)

        with grpc.insecure_channel(f"127.0.0.1:{served.grpc_port}") as channel:
            call = retarget_pb2_grpc.RetargetServiceStub(channel).RetargetStream(messages())
            next(call)
            if number % 2:
                next(call)
            call.cancel()

    post(200)
    before = served.resident_mb()
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(post, [requests // (10 * CORES)] * (10 * CORES)))
    for number in range(streams):
        drop_a_stream(number)
    return before, served.resident_mb()


def overload(picture: bytes, models: Path | None, rounds: int) -> tuple[Counter[int], float]:
    """Codes of the answers to 200 clients at once, and the 99th percentile of seconds of those that are 200."""
    with server(models, settings={"MFN_QUEUE_LENGTH": "32"}) as served:
        told = [client for _ in range(rounds) for client in burst(served.http_port, request_of(picture), 200)]
    seconds = [client.seconds for client in told if client.status == 200]
    return Counter(client.status for client in told), float(np.percentile(seconds, 99))


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, to try it out")
    parser.add_argument("--results", action="store_true", help="write the table into bench/RESULTS.md")
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    if arguments.models is not None:
        settings = replace(settings, models_dir=arguments.models)
    share = 10 if arguments.quick else 1
    large, small = photo(1280, 720), photo(640, 480)
    rows = []
    starts = []
    for _ in range(max(1, 5 // share)):
        with server(arguments.models) as served:
            starts.append(served.seconds_to_ready)
    with server(arguments.models) as served:
        ours, bare, ratio = throughput(served, settings, large, max(2, 10 // share), 3 / share)
        rows.append(("throughput, 1280 x 720 JPEG", f"{ratio:.0%} of bare: {ours:.0f} to {bare:.0f} requests/s"))
        median, p99 = unary(served, 1000 // share)
        rows.append(("unary gRPC beyond the network", f"{median:.2f} ms median, {p99:.2f} ms p99"))
        median, p99, inference, dropped = stream(served, small, 900 // share)
        rows.append(
            (
                "stream, 30 fps of 640 x 480 JPEG",
                f"{median / inference:.2f} x median, {p99 / inference:.2f} x p99 of inference alone "
                f"({median:.1f} and {p99:.1f} over {inference:.1f} ms; {dropped} frames dropped)",
            )
        )
    with server(arguments.models) as served:
        before, after = memory(served, large, 10_000 // share, 100 // share)
        rows.append(("memory", f"{after / before - 1:+.1%}: {before:.0f} MB, then {after:.0f} MB"))
    codes, p99 = overload(large, arguments.models, max(1, 5 // share))
    told = ", ".join(f"{count} x {code}" for code, count in sorted(codes.items()))
    rows.append(("200 clients, queue of 32", f"{told}; p99 of the 200s {p99:.2f} s"))
    rows.append(("start to ready", f"{statistics.median(starts):.2f} s median of {len(starts)}"))
    figures = table(["what", "measured"], [[name, figure] for name, figure in rows])
    print(figures)
    if arguments.results:
        networks = f"{settings.precision} networks on {settings.execution_provider}"
        write_figures("serving", OPENING, f"{machine()}, {networks}.\n\n{figures}")


if __name__ == "__main__":
    main()
