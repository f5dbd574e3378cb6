"""Whether a server that ends loses an answer: `python -m bench.shutdown [--rounds 100] [--results]`.

Round after round a server is started and loaded over REST, gRPC, gRPC streams and WebSocket streams; at a random moment
it gets SIGTERM. Counts what became of what was sent, and exits with 1 where an answer was lost, a server ended with
another code than 0, took longer than its drain time, or wrote anything to its log.

An answer is lost where the server has taken a request, which its log names, and the sender is told nothing of it:
    REST       its connection ends before the whole answer has come. Refused is an answer of 429 or 503, a connection
               that is refused, and one that the server closes before it has read the request (RFC 9112, section 9.3.1)
    gRPC       it ends with another code than OK, UNAVAILABLE and RESOURCE_EXHAUSTED. Refused is, too, what gRPC's core
               cancels before it has given it to the server: it was sent before its client had heard GOAWAY
    streams    it ends without UNAVAILABLE; or the answers are not those to the first frames in their order
    WebSocket  it ends without the problem `unavailable`; or the answers are not those to the first frames in their
               order
Frames that were on their way when a stream was told of the end are not looked at: whoever sent them is told.

Then, --idle times, how long the end takes where a connection of every kind is open that has nothing in work.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import secrets
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from bench.results import machine, table, write_figures
from bench.senders import JPEG, Ending
from bench.server import PROGRAM, free_port, photo

DRAIN_SECONDS = 20.0
PATIENCE_SECONDS = 60.0  # for a server to become ready, and for it to end
LOAD_SECONDS = (0.3, 1.5)  # from the first request to SIGTERM
KINDS = ("REST", "gRPC", "streams", "WebSocket")
REFUSED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
REQUEST_ID = "x-request-id"
STAMP = struct.Struct("<Qq")
OPENING = """## Shutdown

`python -m bench.shutdown --results`: SIGTERM at a random moment under load over all transports, again and again; and
with connections of every kind open that have nothing in work."""


@dataclass
class Tally:
    """What became of the requests of one kind, or of streams and their frames.

    lost: how many of each sort. cut: how those ended that got no answer, by their ids, until the log tells whether the
    server had taken them.
    """

    answered: int = 0
    refused: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    cut: dict[str, str] = field(default_factory=dict)

    def settle(self, taken: set[str]) -> None:
        """Counts those that were cut. taken: the ids of those that the server had taken."""
        for name, how in self.cut.items():
            if name in taken:
                self.lost[how] += 1
            else:
                self.refused += 1
        self.cut.clear()


@dataclass
class Outcome:
    """Holds what became of all requests. seconds: from each SIGTERM to the end. faults: of the servers themselves."""

    tallies: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in KINDS})
    seconds: list[float] = field(default_factory=list)
    idle_seconds: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def lost_nothing(self) -> bool:
        """Whether every answer came and every server ended well."""
        return not self.faults and not any(tally.lost for tally in self.tallies.values())

    def figures(self) -> str:
        """The figures as text and a table."""
        rows = [
            [kind, str(tally.answered), str(tally.refused), str(tally.lost.total())]
            for kind, tally in self.tallies.items()
        ]
        told = f"{len(self.seconds)} ends under load, at most {max(self.seconds):.2f} s each. "
        if self.idle_seconds:
            told += f"With idle connections of every kind: at most {max(self.idle_seconds):.2f} s. "
        return f"{told}Other faults: {self.faults.total()}.\n\n" + table(["over", "answered", "refused", "lost"], rows)


class Server:
    """A server's process, and its log."""

    def __init__(self, models: Path | None, log_level: str) -> None:
        """Starts the process."""
        self.http_port, self.grpc_port = free_port(), free_port()
        environment = {
            **os.environ,
            "MFN_HOST": "127.0.0.1",
            "MFN_HTTP_PORT": str(self.http_port),
            "MFN_GRPC_PORT": str(self.grpc_port),
            "MFN_LOG_LEVEL": log_level,
            "MFN_DRAIN_SECONDS": str(DRAIN_SECONDS),
            **({} if models is None else {"MFN_MODELS_DIR": str(models)}),
        }
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed by kill
        self._process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stderr=self._log)

    @property
    def url(self) -> str:
        """Where the server answers HTTP."""
        return f"http://127.0.0.1:{self.http_port}"

    def until_ready(self) -> None:
        """Waits until the server is ready. Ends the program where it does not become so."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            with contextlib.suppress(httpx2.TransportError):
                httpx2.get(f"{self.url}/readyz").raise_for_status()
                return
            if self._process.poll() is not None or time.monotonic() > end:
                sys.exit("A server did not become ready.")
            time.sleep(0.02)

    def end(self) -> tuple[int, float]:
        """SIGTERM; the exit code, and the seconds until the end."""
        start = time.perf_counter()
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_SECONDS), time.perf_counter() - start

    def log(self) -> list[dict[str, Any]]:
        """The lines of the log. One that is not JSON has the level `foreign`."""
        self._log.seek(0)
        return [
            json.loads(line) if line.startswith("{") else {"level": "foreign", "message": line.strip()}
            for line in self._log
        ]

    def kill(self) -> None:
        """Kills the process where it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._log.close()


async def post(server: Server, picture: bytes, tally: Tally, kept: bool) -> None:
    """Sends a picture over REST again and again until nobody listens. kept: whether connections are."""
    limits = httpx2.Limits(max_keepalive_connections=1 if kept else 0)
    async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS, limits=limits) as client:
        while True:
            name = secrets.token_hex(8)
            try:
                answer = await client.post(f"{server.url}/retarget", content=picture, headers=JPEG | {REQUEST_ID: name})
            except httpx2.ConnectError:
                tally.refused += 1
                return
            except httpx2.HTTPError as error:
                tally.cut[name] = f"{type(error).__name__}: {error}"
                continue
            if answer.status_code == 200:
                tally.answered += 1
            elif answer.status_code in (429, 503):
                tally.refused += 1
                await asyncio.sleep(0.01)
            else:
                tally.lost[f"{answer.status_code}: {answer.text[:200]}"] += 1


async def call(channel: grpc.aio.Channel, picture: bytes, tally: Tally, ended: asyncio.Event) -> None:
    """Sends a picture over gRPC again and again until the server has ended."""
    stub = retarget_pb2_grpc.RetargetServiceStub(channel)
    request = pb.RetargetRequest(image=pb.Image(encoded=picture))
    while not ended.is_set():
        name = secrets.token_hex(8)
        try:
            await stub.Retarget(request, timeout=PATIENCE_SECONDS, metadata=((REQUEST_ID, name),))
            tally.answered += 1
        except grpc.aio.AioRpcError as error:
            if error.code() in REFUSED:
                tally.refused += 1
                await asyncio.sleep(0.01)
            else:
                tally.cut[name] = f"{error.code().name}: {error.details()}"


async def stream(channel: grpc.aio.Channel, picture: bytes, tally: Tally) -> None:
    """Sends frames in one stream until the server ends it."""

    async def messages() -> AsyncIterator[pb.RetargetStreamRequest]:
        yield pb.RetargetStreamRequest(config=pb.StreamConfig(drop_policy=pb.DROP_POLICY_NONE))
        for number in itertools.count():
            frame = pb.Frame(sequence=number, timestamp_us=time.monotonic_ns() // 1000, image=pb.Image(encoded=picture))
            yield pb.RetargetStreamRequest(frame=frame)

    name = secrets.token_hex(8)
    stub = retarget_pb2_grpc.RetargetServiceStub(channel)
    opened = stub.RetargetStream(messages(), metadata=((REQUEST_ID, name),))
    ending, expected = Ending(opened), itertools.count()
    try:
        async for response in opened:
            if response.WhichOneof("message") == "answer":
                tally.answered += 1
                if response.answer.sequence != next(expected):
                    tally.lost["an answer is missing"] += 1
        tally.lost["ended as if all were well"] += 1
    except grpc.aio.AioRpcError:
        code, details = await ending.status()
        if code is not grpc.StatusCode.UNAVAILABLE:
            tally.cut[name] = f"{code.name}: {details}"
        else:
            tally.refused += 1


async def websocket(server: Server, picture: bytes, tally: Tally) -> None:
    """Sends frames in one stream over WebSocket until the server ends it."""
    try:
        opened = await connect(f"ws://127.0.0.1:{server.http_port}/retarget/stream", proxy=None)
    except (OSError, InvalidHandshake):
        tally.refused += 1
        return

    async def send() -> None:
        for number in itertools.count():
            await opened.send(STAMP.pack(number, time.monotonic_ns() // 1000) + picture)

    await opened.send(json.dumps({"drop_policy": "none", "stamped": True}))
    sending, expected, told = asyncio.create_task(send()), itertools.count(), ""
    with contextlib.suppress(ConnectionClosed):
        async for message in opened:
            document = json.loads(message)
            if "faces" in document:
                tally.answered += 1
                if document["sequence"] != next(expected):
                    tally.lost["an answer is missing"] += 1
            elif "problem" in document:
                told = document["problem"]["type"]
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    if told.endswith(":unavailable"):
        tally.refused += 1
    else:
        tally.lost[f"ended with {opened.close_code} {opened.close_reason!r}, told {told!r}"] += 1


async def end_under_load(server: Server, picture: bytes, outcome: Outcome, senders: int) -> None:
    """Loads a server that is ready, ends it at a random moment, and counts. senders: of each kind."""
    ended = asyncio.Event()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}", [("grpc.enable_retries", 0)]) as channel:
        rest, unary, streams, sockets = (outcome.tallies[kind] for kind in KINDS)
        sending = [
            asyncio.create_task(sender)
            for number in range(senders)
            for sender in (
                post(server, picture, rest, kept=number % 2 == 0),
                call(channel, picture, unary, ended),
                stream(channel, picture, streams),
                websocket(server, picture, sockets),
            )
        ]
        await asyncio.sleep(random.uniform(*LOAD_SECONDS))
        code, seconds = await asyncio.to_thread(server.end)
        ended.set()
        await asyncio.wait_for(asyncio.gather(*sending), PATIENCE_SECONDS)
    lines = server.log()
    taken = {line["request_id"] for line in lines if "request_id" in line}
    for tally in outcome.tallies.values():
        tally.settle(taken)
    outcome.seconds.append(seconds)
    note_faults(outcome, code, seconds, lines)


def note_faults(outcome: Outcome, code: int, seconds: float, lines: list[dict[str, Any]]) -> None:
    """Notes what a server's end shows of faults of its own."""
    if code != 0:
        outcome.faults[f"exit code {code}"] += 1
    if seconds > DRAIN_SECONDS:
        outcome.faults["longer than the drain time"] += 1
    for line in lines:
        if line["level"] != "info":
            outcome.faults[f"in the log: {line['message'][:200]}"] += 1


def open_idle(stack: ExitStack, server: Server) -> None:
    """Opens connections of every kind that have nothing in work, until the stack ends."""

    def tcp(port: int, first: bytes = b"") -> socket.socket:
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        connection.sendall(first)
        return connection

    def silent(*first: Any) -> Iterator[Any]:
        yield from first
        end.wait(PATIENCE_SECONDS)

    end = threading.Event()
    stack.callback(end.set)
    upgrade = (
        b"GET /retarget/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    configuration = b"\x81\x82\0\0\0\0{}"  # a text frame, under a mask of zeros
    tcp(server.http_port)
    tcp(server.http_port, b"POST /retarget HTTP/1.1\r\nHost: x\r\nX-")
    tcp(server.http_port, b"POST /retarget HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + bytes(500))
    tcp(server.http_port, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").recv(2**12)
    tcp(server.http_port, upgrade).recv(2**12)
    configured = tcp(server.http_port, upgrade)
    configured.recv(2**12)
    configured.sendall(configuration)
    configured.recv(2**16)
    tcp(server.grpc_port)
    tcp(server.grpc_port, b"PRI * HTTP/2.0\r\n")
    channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}"))
    next(health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest()))
    for method in ("Retarget", "RetargetStream"):
        channel.stream_stream(f"/mfn.v1.RetargetService/{method}", None, None)(silent())
    config = pb.RetargetStreamRequest(config=pb.StreamConfig())
    next(retarget_pb2_grpc.RetargetServiceStub(channel).RetargetStream(silent(config)))


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--idle", type=int, default=5, help="rounds with idle connections")
    parser.add_argument("--senders", type=int, default=2, help="of each kind")
    parser.add_argument("--models", type=Path)
    parser.add_argument("--results", action="store_true", help="write the table into bench/RESULTS.md")
    chosen = parser.parse_args()
    outcome, picture = Outcome(), photo(640, 480)
    for _ in range(chosen.rounds):
        with ExitStack() as stack:
            server = Server(chosen.models, "info")
            stack.callback(server.kill)
            server.until_ready()
            asyncio.run(end_under_load(server, picture, outcome, chosen.senders))
    for _ in range(chosen.idle):
        with ExitStack() as stack:
            server = Server(chosen.models, "info")
            stack.callback(server.kill)
            server.until_ready()
            open_idle(stack, server)
            code, seconds = server.end()
            outcome.idle_seconds.append(seconds)
            note_faults(outcome, code, seconds, server.log())
    print(outcome.figures())
    for kind, tally in outcome.tallies.items():
        for failure, count in tally.lost.most_common():
            print(f"{kind}: {count} x {failure}", file=sys.stderr)
    for fault, count in outcome.faults.most_common():
        print(f"{count} x {fault}", file=sys.stderr)
    if chosen.results:
        write_figures("shutdown", OPENING, f"{machine()}.\n\n{outcome.figures()}")
    sys.exit(not outcome.lost_nothing)


if __name__ == "__main__":
    main()
