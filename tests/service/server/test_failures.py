"""The same failure over REST, gRPC and WebSocket: one name, one sentence, one line in the log, one metric."""

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import grpc
import httpx2
import pytest
from mfn.v1 import retarget_pb2 as pb
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from service.errors import NO_MEMORY, OVERLOADED, UNAVAILABLE, ProblemKind
from service.inference.pipeline import Pipeline
from service.server.auth import ApiKeys
from service.server.problems import CODES, problem_type
from service.server.rest.app import RestApp
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from service.tracking.session import Session
from tests.service.server.grpc.conftest import Running, trailing_metadata
from tests.service.server.grpc.conftest import running as grpc_server
from tests.service.server.rest.conftest import running as http_server

REQUEST_ID = "sent-by-the-client"
KINDS = {problem_type(kind): kind for kind in CODES}
KINDS_BY_NAME = {kind.name: kind for kind in CODES}
KEY = "a-key-of-some-length"


@dataclass(frozen=True)
class Told:
    """What a client was told, and with which code."""

    kind: ProblemKind
    detail: str
    code: str


@dataclass
class Servers:
    """REST, WebSocket and gRPC in front of one state."""

    http: httpx2.Client
    rpc: Running
    state: ServerState


Ask = Callable[[Servers, bytes, dict[str, Any]], Told]


def rest(servers: Servers, picture: bytes, options: dict[str, Any]) -> Told:
    """POST /retarget."""
    headers = {"Content-Type": "image/png", "X-Request-ID": REQUEST_ID}
    answer = servers.http.post("/retarget", content=picture, params=options, headers=headers)
    document = answer.json()
    assert document["status"] == answer.status_code
    assert answer.headers["x-request-id"] == REQUEST_ID
    return Told(KINDS[document["type"]], document["detail"], str(answer.status_code))


def unary(servers: Servers, picture: bytes, options: dict[str, Any]) -> Told:
    """Retarget."""
    request = pb.RetargetRequest(image=pb.Image(encoded=picture), options=pb.Options(**options))
    with pytest.raises(grpc.RpcError) as failed:
        servers.rpc.stub.Retarget(request, metadata=[("x-request-id", REQUEST_ID)], timeout=20)
    trailing = trailing_metadata(failed.value)
    assert trailing["x-request-id"] == REQUEST_ID
    return Told(KINDS_BY_NAME[trailing["mfn-problem"]], failed.value.details() or "", failed.value.code().name)


def grpc_stream(servers: Servers, picture: bytes, options: dict[str, Any]) -> Told:
    """RetargetStream: what ends it, or the answer to its first frame."""

    def messages() -> Iterator[pb.RetargetStreamRequest]:
        yield pb.RetargetStreamRequest(config=pb.StreamConfig(options=pb.Options(**options)))
        frame = pb.Frame(sequence=1, timestamp_us=1, image=pb.Image(encoded=picture))
        yield pb.RetargetStreamRequest(frame=frame)

    stream = servers.rpc.stub.RetargetStream(messages(), metadata=[("x-request-id", REQUEST_ID)], timeout=20)
    try:
        problem = next(message.answer for message in stream if message.WhichOneof("message") == "answer").problem
    except grpc.RpcError as error:
        name = trailing_metadata(error)["mfn-problem"]
        return Told(KINDS_BY_NAME[name], error.details() or "", error.code().name)
    kind = KINDS_BY_NAME[problem.name]
    return Told(kind, problem.detail, CODES[kind].grpc)


def websocket(servers: Servers, picture: bytes, options: dict[str, Any]) -> Told:
    """/retarget/stream: what ends it, or the answer to its first frame."""
    url = str(servers.http.base_url).replace("http", "ws") + "/retarget/stream"
    with connect(url, additional_headers={"X-Request-ID": REQUEST_ID}, proxy=None) as socket:
        socket.send(json.dumps(options))
        with contextlib.suppress(ConnectionClosed):  # the configuration alone may have ended it
            socket.send(picture)
        for message in socket:
            document = json.loads(message)
            if "problem" in document:
                problem = document["problem"]
                kind = KINDS[problem["type"]]
                assert problem["status"] == CODES[kind].http
                return Told(kind, problem["detail"], str(problem["status"]))
    raise AssertionError("no problem was told")


def counted(state: ServerState, labels: str) -> bool:
    """Whether one request with these labels is counted, which it is just after its answer."""
    line = f"mfn_request_duration_seconds_count{{{labels}}} 1.0"
    return comes_true(lambda: line in state.metrics.exposition().decode())


def comes_true(condition: Callable[[], bool]) -> bool:
    """Whether something becomes true soon."""
    end = time.monotonic() + 5
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


PICTURES: dict[str, Ask] = {"rest": rest, "grpc": unary}
STREAMS: dict[str, Ask] = {"grpc-stream": grpc_stream, "websocket": websocket}
EVERY = PICTURES | STREAMS


@pytest.fixture
def serve(settings: Settings, pipeline: Pipeline) -> Iterator[Callable[..., Servers]]:
    """Serves a state of the test's own over all transports."""
    with ExitStack() as stack:

        def start(keys: ApiKeys | None = None, count: int = 2, queue: int = 4, **changes: Any) -> Servers:
            workers = Workers(count, queue)
            stack.callback(workers.close)
            own = replace(settings, host="127.0.0.1", grpc_port=0, **changes)
            state = ServerState(own, Pipeline(pipeline.models, own), workers, keys or ApiKeys())
            rpc = stack.enter_context(grpc_server(state))
            return Servers(stack.enter_context(http_server(RestApp(state), own)), rpc, state)

        yield start


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"min_score": 0}, "The parameter min_score is 0; expected a number from 0.01 to 1."),
        ({"min_score": 1.5}, "The parameter min_score is 1.5; expected a number from 0.01 to 1."),
        ({"max_faces": 101}, "The parameter max_faces is 101; expected a number from 1 to 100."),
        ({"input_size": 100}, "The parameter input_size is 100; expected 96 or 192."),
    ],
)
@pytest.mark.parametrize("transport", EVERY)
def test_a_bad_parameter(
    serve: Callable[..., Servers], png: bytes, transport: str, options: dict[str, Any], words: str
) -> None:
    told = EVERY[transport](serve(), png, options)
    assert (told.kind.name, told.detail) == ("bad-parameter", words)


@pytest.mark.parametrize("transport", EVERY)
def test_a_bad_picture(serve: Callable[..., Servers], transport: str) -> None:
    told = EVERY[transport](serve(), b"no picture", {})
    expected = "The bytes are not a picture that can be read: expected a complete JPEG, PNG, WebP or AVIF file."
    assert (told.kind.name, told.detail) == ("bad-picture", expected)


@pytest.mark.parametrize("transport", EVERY)
def test_too_many_bytes(serve: Callable[..., Servers], png: bytes, transport: str) -> None:
    told = EVERY[transport](serve(max_bytes=len(png) - 1), png, {})
    assert (told.kind.name, told.detail) == (
        "too-large",
        f"The picture has more than {len(png) - 1} bytes, the most allowed. Scale it down or compress it more.",
    )


@pytest.mark.parametrize("transport", ["rest", "grpc", "grpc-stream"])
def test_far_too_many_bytes(serve: Callable[..., Servers], transport: str) -> None:
    """WebSocket closes with 1009, Message Too Big."""
    servers = serve()
    limit = servers.state.settings.max_bytes
    told = EVERY[transport](servers, bytes(12 * limit), {})
    expected = f"The picture has more than {limit} bytes, the most allowed. Scale it down or compress it more."
    assert (told.kind.name, told.detail) == ("too-large", expected)


@pytest.mark.parametrize("transport", EVERY)
def test_a_picture_of_another_format(serve: Callable[..., Servers], transport: str) -> None:
    told = EVERY[transport](serve(), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", {})
    assert told.kind.name == "bad-picture"
    assert told.detail.startswith("The bytes are HEIC, not a JPEG, PNG, WebP or AVIF file. On an iPhone choose ")


@pytest.mark.parametrize("transport", EVERY)
def test_who_asked_is_in_the_log(
    serve: Callable[..., Servers], transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    servers = serve(max_streams=0)
    with caplog.at_level(logging.INFO, "mfn.requests"):
        EVERY[transport](servers, b"no picture", {})
        end = time.monotonic() + 5
        while not (lines := [line for line in caplog.records if line.name == "mfn.requests"]):
            assert time.monotonic() < end
            time.sleep(0.01)
    (fields,) = [vars(line)["fields"] for line in lines]
    assert (fields["request_id"], fields["client"]) == (REQUEST_ID, "127.0.0.1")


@pytest.mark.parametrize("transport", EVERY)
def test_a_missing_key(serve: Callable[..., Servers], png: bytes, transport: str) -> None:
    told = EVERY[transport](serve(ApiKeys(frozenset({KEY}))), png, {})
    assert told.kind.name == "unauthenticated"
    assert told.detail == (
        "An API key is missing. Send it as Authorization: Bearer <key> or as X-API-Key: <key>; "
        "in a WebSocket stream as `key` of the configuration."
    )


@pytest.mark.parametrize("transport", EVERY)
def test_a_deadline(serve: Callable[..., Servers], png: bytes, transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    let = threading.Event()
    servers = serve(deadline_seconds=0.2, frame_deadline_seconds=0.2)
    detect = servers.state.pipeline.detect
    monkeypatch.setattr(servers.state.pipeline, "detect", lambda *given: let.wait(20) and detect(*given))
    told = EVERY[transport](servers, png, {})
    let.set()
    assert (told.kind.name, told.detail) == (
        "deadline-passed",
        "No answer after 0.2 s, the most that a picture may take. "
        "Send a smaller picture, or send it again when the server is less busy.",
    )


def test_a_body_that_comes_too_slowly(serve: Callable[..., Servers]) -> None:
    """It stalls. Messages of gRPC tell nothing of what has come of them: they have a time."""
    servers = serve(upload_grace_seconds=0.2, stream_idle_seconds=0.3)

    def stalling() -> Iterator[bytes]:
        yield b"\x89PNG"
        time.sleep(0.5)  # a client reads the response once it has sent all
        yield b""

    answer = servers.http.post("/retarget", content=stalling(), headers={"Content-Type": "image/png"})
    call = servers.rpc.channel.stream_unary("/mfn.v1.RetargetService/Retarget", bytes, bytes)
    with pytest.raises(grpc.RpcError) as failed:
        call(data for data in stalling() if not data)
    document = answer.json()
    assert (answer.status_code, document["type"]) == (408, "urn:problem-type:mfn:request-timeout")
    assert "in 0.2 s fewer than 1638 bytes, the least allowed (MFN_MIN_UPLOAD_RATE)" in document["detail"]
    assert failed.value.code() is grpc.StatusCode.ABORTED
    assert trailing_metadata(failed.value)["mfn-problem"] == "request-timeout"
    assert failed.value.details() == (
        "The message was not complete after 0.3 s, the most allowed (MFN_STREAM_IDLE_SECONDS). "
        "Send a smaller picture, or over a faster line."
    )
    assert counted(servers.state, 'code="408",method="POST /retarget",transport="http"')
    assert counted(servers.state, 'code="ABORTED",method="Retarget",transport="grpc"')


@pytest.mark.parametrize("transport", PICTURES)
def test_a_full_queue(
    serve: Callable[..., Servers], png: bytes, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    let = threading.Event()
    servers = serve(count=1, queue=0)
    monkeypatch.setattr(servers.state.pipeline, "detect", lambda *_: let.wait(20) and None)
    held = servers.state.workers.submit(lambda: let.wait(20))
    told = EVERY[transport](servers, png, {})
    let.set()
    held.result(20)
    assert told.kind is OVERLOADED
    assert told.detail.startswith("All 1 places")


@pytest.mark.parametrize("transport", ["rest", *STREAMS])
def test_no_room_for_what_comes(serve: Callable[..., Servers], png: bytes, transport: str) -> None:
    """Others hold all the bytes that there are; gRPC's calls with one picture have a budget of their own."""
    servers = serve()
    servers.state.held.take(servers.state.held.free)
    told = EVERY[transport](servers, png, {})
    assert told.kind is OVERLOADED
    assert told.detail.endswith("bytes together (MFN_MAX_WAITING_BYTES). Send it again, a little later.")


@pytest.mark.parametrize("transport", ["rest", *STREAMS])
def test_what_waits_is_counted_until_it_is_answered(serve: Callable[..., Servers], transport: str) -> None:
    let, picture = threading.Event(), b"no picture" * 1000
    servers = serve(count=1)
    held = servers.state.held
    empty = held.free
    servers.state.workers.submit(lambda: let.wait(20))
    sending = threading.Thread(target=EVERY[transport], args=(servers, picture, {}))
    sending.start()
    assert comes_true(lambda: 0 <= empty - held.free - len(picture) < 100)
    let.set()
    sending.join()
    assert comes_true(lambda: held.free == empty)


@pytest.mark.parametrize("transport", STREAMS)
def test_no_place_for_a_stream(serve: Callable[..., Servers], png: bytes, transport: str) -> None:
    told = EVERY[transport](serve(max_streams=0), png, {})
    assert told.kind is OVERLOADED
    assert told.detail == "All 0 places for streams are taken. Open it again later, or elsewhere."


@pytest.mark.parametrize("transport", ["rest", *STREAMS])
def test_a_server_that_drains(serve: Callable[..., Servers], png: bytes, transport: str) -> None:
    """Calls of gRPC that come meanwhile were sent before their clients could know: they are answered."""
    servers = serve()
    servers.rpc.drain()
    told = EVERY[transport](servers, png, {})
    assert told.kind is UNAVAILABLE
    assert told.detail == "The server is shutting down. Send the request again, to another."


FAILURES = {
    "internal": (
        ZeroDivisionError("innards"),
        "The server could not finish this request; the error is in its log. Others are served as before.",
    ),
    "no-memory": (
        MemoryError(),
        "The server has no memory left for this request. Send it again a little later, or send a smaller picture.",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("transport", EVERY)
def test_a_failure_of_the_server(
    serve: Callable[..., Servers],
    png: bytes,
    transport: str,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    error, sentence = FAILURES[name]

    def failing(*_: object) -> None:
        raise error

    servers = serve()
    monkeypatch.setattr(servers.state.pipeline, "retarget_source", failing)
    monkeypatch.setattr(Session, "process_frame", failing)
    with caplog.at_level(logging.INFO):
        told = EVERY[transport](servers, png, {})
    assert (told.kind.name, told.detail) == (name, sentence)
    (line,) = [line for line in caplog.records if line.levelno > logging.INFO]
    assert (line.name, vars(line)["fields"]["request_id"]) == ("mfn.requests", REQUEST_ID)
    if told.kind is NO_MEMORY:
        assert line.levelno == logging.WARNING
        assert line.getMessage().startswith("no memory left for a request")
    else:
        assert line.levelno == logging.ERROR
        assert line.getMessage() == "a request failed"
        assert line.exc_info is not None
        assert line.exc_info[1] is error
    method = {"rest": "POST /retarget", "grpc": "Retarget"}.get(transport, "Frame")
    code = told.code if transport == "rest" else CODES[told.kind].grpc  # frames have gRPC's codes on both transports
    labels = f'code="{code}",method="{method}",transport="{transport.replace("rest", "http").partition("-")[0]}"'
    assert counted(servers.state, labels)
