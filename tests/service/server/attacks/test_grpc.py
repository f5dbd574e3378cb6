"""Calls meant to fill the server's memory, over gRPC: it stays bounded, and the next honest call is answered."""

import gzip
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc

from service.server.grpc.admission import largest_received
from service.settings import Settings
from tests.service.processes import free_port, server, wait_until_ready
from tests.service.server.attacks.http2 import Connection, prefixed
from tests.service.server.attacks.memory import growth

KEY = "a-key-of-some-length"
RETARGET, STREAM, CHECK, WATCH = (
    "/mfn.v1.RetargetService/Retarget",
    "/mfn.v1.RetargetService/RetargetStream",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
)
LARGEST = 10 * 2**20  # bytes of an encoded picture, by default
RAW = 9_000_000  # pixels of a raw one
RECEIVED = largest_received(Settings())  # bytes of a message
CONNECTIONS = 5
AIM_MB, MOST_MB = 50, 200  # of growth: where next to nothing is to be held; where places full of pictures are
RAW_MOST_MB = 300  # where they are full of raw frames: three of 36 MB, and what gRPC's core received them into


@dataclass(frozen=True)
class Served:
    pid: int
    port: int
    channel: grpc.Channel
    stub: retarget_pb2_grpc.RetargetServiceStub
    health: health_pb2_grpc.HealthStub
    picture: pb.RetargetRequest

    def honest(self, timeout: float) -> None:
        assert len(self.stub.Retarget(self.picture, metadata=[("x-api-key", KEY)], timeout=timeout).faces) == 1

    def probe(self, timeout: float) -> None:
        assert self.health.Check(health_pb2.HealthCheckRequest(), timeout=timeout).status == 1


@contextmanager
def serving(models_dir: Path, png: bytes, **settings: str) -> Iterator[Served]:
    http, rpc = free_port(), free_port()
    settings |= {"MFN_GRPC_PORT": str(rpc), "MFN_WORKERS": "2", "MFN_LOG_LEVEL": "error"}
    with server(models_dir, http, **settings) as process, grpc.insecure_channel(f"127.0.0.1:{rpc}") as channel:
        wait_until_ready(http)
        stubs = retarget_pb2_grpc.RetargetServiceStub(channel), health_pb2_grpc.HealthStub(channel)
        served = Served(process.pid, rpc, channel, *stubs, pb.RetargetRequest(image=pb.Image(encoded=png)))
        for _ in range(10):
            served.honest(20)
        yield served


@pytest.fixture(scope="module")
def guarded(models_dir: Path, png: bytes) -> Iterator[Served]:
    """Wants a key."""
    with serving(models_dir, png, MFN_API_KEYS=KEY) as served:
        yield served


@pytest.fixture(scope="module")
def free(models_dir: Path, png: bytes) -> Iterator[Served]:
    """Wants none."""
    with serving(models_dir, png) as served:
        yield served


@contextmanager
def calls(port: int, count: int, path: str, body: bytes, whole: bool = True, encoding: str = "gzip") -> Iterator[None]:
    """So many calls at once, over several connections, which are open until the end of the block."""
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(Connection(port))) for _ in range(CONNECTIONS)]
        for number in range(count):
            connections[number % CONNECTIONS].call(path, body, whole, encoding)
        yield


def bomb(size: int) -> bytes:
    """A message of `size` bytes in a thousandth of that."""
    image = pb.Image(encoded=bytes(size))
    return prefixed(gzip.compress(pb.RetargetRequest(image=image).SerializeToString()), compressed=True)


@pytest.mark.parametrize("path", [RETARGET, STREAM])
@pytest.mark.parametrize("size", [LARGEST, 39 * 2**20])
def test_without_a_key_no_message_is_received(guarded: Served, path: str, size: int) -> None:
    with growth(guarded.pid) as grown, calls(guarded.port, 150, path, bomb(size)):
        guarded.honest(5)
        time.sleep(0.3)
    assert grown.mb < AIM_MB
    guarded.honest(1)


def test_what_inflates_beyond_the_limit_is_refused_there(free: Served) -> None:
    with growth(free.pid) as grown, calls(free.port, 30, RETARGET, bomb(39 * 2**20)):
        free.honest(9)
    assert grown.mb < AIM_MB
    free.honest(1)


def test_the_largest_pictures_that_inflate(free: Served) -> None:
    with growth(free.pid) as grown, calls(free.port, 30, RETARGET, bomb(LARGEST)):
        free.honest(9)
    assert grown.mb < MOST_MB
    free.honest(2)


def test_the_largest_pictures_as_they_are(free: Served) -> None:
    request = pb.RetargetRequest(image=pb.Image(encoded=bytes(LARGEST)))
    with growth(free.pid) as grown:
        pending = [free.stub.Retarget.future(request, timeout=20) for _ in range(40)]
        free.honest(9)
        assert {call.code() for call in pending} <= {
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.RESOURCE_EXHAUSTED,
        }
    assert grown.mb < MOST_MB
    free.honest(1)


def raw_frame() -> pb.RetargetRequest:
    """The largest that is served."""
    frame = pb.RawPixels(format=pb.PIXEL_FORMAT_RGBA, width=RAW, height=1, data=bytes(4 * RAW))
    return pb.RetargetRequest(image=pb.Image(raw=frame))


def test_the_largest_raw_frames_that_inflate(free: Served) -> None:
    body = prefixed(gzip.compress(raw_frame().SerializeToString()), compressed=True)
    with growth(free.pid) as grown, calls(free.port, 12, RETARGET, body):
        free.honest(9)
    assert grown.mb < RAW_MOST_MB
    free.honest(5)


@pytest.mark.parametrize("size", [4 * RAW, RECEIVED - 100])
def test_the_largest_messages_as_they_are(free: Served, size: int) -> None:
    """Raw frames, and what is refused as a picture of too many bytes once it has come."""
    request = raw_frame() if size == 4 * RAW else pb.RetargetRequest(image=pb.Image(encoded=bytes(size)))
    with growth(free.pid) as grown:
        pending = [free.stub.Retarget.future(request, timeout=20) for _ in range(10)]
        free.honest(9)
        assert grpc.StatusCode.INTERNAL not in {call.code() for call in pending}
    assert grown.mb < RAW_MOST_MB
    free.honest(5)


@pytest.mark.parametrize("path", [CHECK, WATCH])
def test_probes_of_the_largest_size_as_they_are(guarded: Served, path: str) -> None:
    call = guarded.channel.unary_unary(path, None, None)
    probe = health_pb2.HealthCheckRequest(service="x" * (RECEIVED - 100)).SerializeToString()
    with growth(guarded.pid) as grown:
        pending = [call.future(probe, timeout=20) for _ in range(10)]
        guarded.probe(5)
        guarded.honest(5)
        assert {call.code() for call in pending} <= {
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.RESOURCE_EXHAUSTED,
        }
    assert grown.mb < RAW_MOST_MB
    guarded.probe(1)


@pytest.mark.parametrize("path", [CHECK, WATCH])
def test_probes_of_the_largest_size(guarded: Served, path: str) -> None:
    name = gzip.compress(health_pb2.HealthCheckRequest(service="x" * LARGEST).SerializeToString())
    with growth(guarded.pid) as grown, calls(guarded.port, 40, path, prefixed(name, compressed=True)):
        guarded.probe(5)
        guarded.honest(5)
    assert grown.mb < MOST_MB
    guarded.probe(1)


def test_probes_that_never_send(guarded: Served) -> None:
    with growth(guarded.pid) as grown, calls(guarded.port, 150, CHECK, b"\x00\x00", whole=False, encoding="identity"):
        time.sleep(0.1)
        for _ in range(5):
            guarded.probe(2)
    assert grown.mb < AIM_MB


def test_unfinished_probes_beyond_those_that_may_wait(guarded: Served) -> None:
    """Together they send 120 MB."""
    body = b"\x00\x00\x9f\x00\x00" + bytes(60_000)
    with growth(guarded.pid) as grown, calls(guarded.port, 2000, CHECK, body, whole=False, encoding="identity"):
        time.sleep(1)  # gRPC ends calls, whosesoever, while more come than are taken up
        for _ in range(5):
            guarded.probe(1)
    assert grown.mb < MOST_MB / 2
    guarded.probe(1)


def test_whoever_sends_at_once_need_not_wait_for_all_who_never_do(models_dir: Path, png: bytes) -> None:
    """They have half of a request's time."""
    with (
        serving(models_dir, png, MFN_DEADLINE_SECONDS="2") as served,
        growth(served.pid) as grown,
        calls(served.port, 150, RETARGET, b"\x00\x00\x9f\x00\x00" + bytes(9000), whole=False, encoding="identity"),
    ):
        time.sleep(0.1)
        served.honest(1.9)
    assert grown.mb < AIM_MB
