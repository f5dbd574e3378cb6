"""Clients that choose between several servers, as those of a cluster do, and what became of their requests."""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx2
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc

JPEG = {"Content-Type": "image/jpeg"}
PATIENCE_SECONDS = 30.0  # for an answer
PAUSE_SECONDS = 0.05  # of a sender, after each answer: a load that one server can bear alone
FRAME_SECONDS = 0.1
# gRPC looks for a lost server ever more seldom, after two minutes in the end. Here it is to be back before the other
# one goes; in a cluster a new pod has a new address, and is connected to at once.
RECONNECT_MS = 500
# What grpcio says when a call ends while a message is being sent. It takes the place of the server's status, or the
# status its place, a moment later and without a word (its issue 36066).
CORE_ERROR = "Internal error from Core"
REASON_SECONDS, LOOK_SECONDS = 1.0, 0.001  # for the status to come, and between two looks
ROUND_ROBIN: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
HEALTH_CHECKED = {**ROUND_ROBIN, "healthCheckConfig": {"serviceName": ""}}


@dataclass
class Tally:
    """What became of the requests of one kind. failures: how many of each sort."""

    requests: int = 0
    longest: float = 0.0  # seconds
    failures: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def request(self) -> Iterator[None]:
        """Counts the one that is sent inside, as failed where an error comes out."""
        start = time.perf_counter()
        try:
            yield
        except httpx2.HTTPError as error:
            self.failures[f"{type(error).__name__}: {error}"] += 1
        except grpc.aio.AioRpcError as error:
            self.failures[f"{error.code().name}: {error.details()}"] += 1
        self.requests += 1
        self.took(start)

    def took(self, start: float) -> None:
        """Notes how long a request took. start: of time.perf_counter."""
        self.longest = max(self.longest, time.perf_counter() - start)


class Endpoints:
    """The servers that are ready, as far as is known, in turn."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._ready = list(urls)
        self._turn = itertools.count()

    def next(self) -> str:
        """The next one's URL; where none is known to be ready, that of any, and let it fail."""
        known = self._ready or self._urls
        return known[next(self._turn) % len(known)]

    async def look(self, client: httpx2.AsyncClient) -> None:
        """Asks each server once."""
        answers = await asyncio.gather(*(is_ready(client, url) for url in self._urls))
        self._ready = [url for url, ready in zip(self._urls, answers, strict=True) if ready]

    async def follow(self, seconds: float) -> None:
        """Asks each server every so many seconds, until cancelled."""
        async with httpx2.AsyncClient(timeout=seconds) as client:
            while True:
                await self.look(client)
                await asyncio.sleep(seconds)


async def is_ready(client: httpx2.AsyncClient, url: str) -> bool:
    """Whether the server at an address says that it is ready."""
    try:
        return (await client.get(f"{url}/readyz")).status_code == 200
    except httpx2.HTTPError:
        return False


def channel_to(ports: list[int], health_checks: bool = True) -> grpc.aio.Channel:
    """One channel over all of them, in turn, that sends nothing again. health_checks: whether it asks
    each server if it serves."""
    options = [
        ("grpc.service_config", json.dumps(HEALTH_CHECKED if health_checks else ROUND_ROBIN)),
        ("grpc.enable_retries", 0),
        ("grpc.initial_reconnect_backoff_ms", RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", RECONNECT_MS),
    ]
    return grpc.aio.insecure_channel("ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports), options)


async def send_over_http(endpoints: Endpoints, picture: bytes, tally: Tally, stop: asyncio.Event) -> None:
    """Sends a picture over HTTP to the servers in turn, until `stop` is set."""
    async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        while not stop.is_set():
            with tally.request():
                answer = await client.post(f"{endpoints.next()}/retarget", content=picture, headers=JPEG)
                answer.raise_for_status()
            await asyncio.sleep(PAUSE_SECONDS)


async def send_over_grpc(channel: grpc.aio.Channel, picture: bytes, tally: Tally, stop: asyncio.Event) -> None:
    """Sends a picture over gRPC, until `stop` is set."""
    stub = retarget_pb2_grpc.RetargetServiceStub(channel)
    request = pb.RetargetRequest(image=pb.Image(encoded=picture))
    while not stop.is_set():
        with tally.request():
            await stub.Retarget(request, timeout=PATIENCE_SECONDS)
        await asyncio.sleep(PAUSE_SECONDS)


class Ending:
    """What a stream is ended with, by the server where it says so at any time. To be made as the stream is opened."""

    def __init__(self, call: Any) -> None:
        """call: of grpc.aio, or whatever has its code, details and add_done_callback."""
        self._call = call
        self._status: tuple[grpc.StatusCode, str] | None = None
        call.add_done_callback(lambda _: self._note())

    def _note(self) -> None:
        code, details = at_once(self._call.code()), at_once(self._call.details())
        if code is not None and details != CORE_ERROR:
            self._status = code, details

    async def status(self) -> tuple[grpc.StatusCode, str]:
        """Once the stream has raised an error."""
        now = asyncio.get_running_loop().time
        deadline = now() + REASON_SECONDS
        while self._status is None and now() < deadline:
            self._note()
            await asyncio.sleep(LOOK_SECONDS)
        return self._status or (await self._call.code(), await self._call.details())


def at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns that has nothing to wait for; None where it has."""
    try:
        coroutine.send(None)
    except StopIteration as returned:
        return returned.value
    coroutine.close()
    return None


async def keep_a_stream(channel: grpc.aio.Channel, picture: bytes, tally: Tally, stop: asyncio.Event) -> None:
    """Each stream, from its opening to its end, counts as one request; what takes longest is an answer to come after
    the one before it, whichever stream that was in."""
    stub = retarget_pb2_grpc.RetargetServiceStub(channel)

    async def messages() -> AsyncIterator[pb.RetargetStreamRequest]:
        yield pb.RetargetStreamRequest(config=pb.StreamConfig())
        for number in itertools.count():
            if stop.is_set():
                return
            frame = pb.Frame(sequence=number, timestamp_us=time.monotonic_ns() // 1000, image=pb.Image(encoded=picture))
            yield pb.RetargetStreamRequest(frame=frame)
            await asyncio.sleep(FRAME_SECONDS)

    answered = time.perf_counter()
    while not stop.is_set():
        answers = 0
        call = stub.RetargetStream(messages())
        ending = Ending(call)
        try:
            async for response in call:
                if response.WhichOneof("message") == "answer":
                    tally.took(answered)
                    answered, answers = time.perf_counter(), answers + 1
        except grpc.aio.AioRpcError:
            code, details = await ending.status()
            # a stream that never got anywhere is a failure, whatever it is told
            if code is not grpc.StatusCode.UNAVAILABLE or not answers:
                tally.failures[f"{code.name}: {details}"] += 1
        tally.requests += 1
