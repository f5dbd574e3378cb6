"""Sends generated requests to a running server over each transport, and checks how it answers.

Each function sends a number of examples and returns how many requests it sent. It raises FindingError where an answer
is an internal error, is none that the contract knows, or does not come in time.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import grpc
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bench.fuzzing import grpc_messages, http_bytes, websocket_messages

PATIENCE_SECONDS: Final = 20.0  # for an answer; more than the server's own deadline of 10 s
READ_BYTES: Final = 2**16
CHECKED: Final = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
INTERNAL: Final = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED}
INTERNAL_CLOSURE: Final = 1011  # RFC 6455, section 7.4.1


class FindingError(AssertionError):
    """An answer that should not have been."""


@dataclass(frozen=True)
class Target:
    """A running server. http_port, grpc_port: on 127.0.0.1. pictures: a strategy of encoded pictures."""

    http_port: int
    grpc_port: int
    pictures: st.SearchStrategy[bytes]


def _run(strategy: st.SearchStrategy[Any], examples: int, check: Callable[[Any], None]) -> int:
    @given(strategy)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(example: Any) -> None:
        try:
            check(example)
        except Exception as error:
            raise FindingError(f"{error!r} after {example!r}"[:2000]) from error

    run()
    return examples


def rest(target: Target, examples: int) -> int:
    """What schemathesis makes of the OpenAPI document, sent to each operation."""
    document = schemathesis.openapi.from_url(f"http://127.0.0.1:{target.http_port}/openapi.json")
    sent = 0
    for result in document.get_all_operations():
        if not isinstance(result, Ok):
            raise FindingError(f"The OpenAPI document is not valid: {result}")
        sent += _run(result.ok().as_strategy(), examples, lambda case: case.call_and_validate(checks=CHECKED))
    return sent


def http(target: Target, examples: int) -> int:
    """Bytes that are not always HTTP: each is answered with a status below 500 or 501, or the connection is closed."""

    def check(data: bytes) -> None:
        with socket.create_connection(("127.0.0.1", target.http_port), PATIENCE_SECONDS) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            try:
                while part := connection.recv(READ_BYTES):
                    received += part
            except ConnectionResetError:
                pass
        for line in received.split(b"\r\n"):
            status = line[len(b"HTTP/1.1 ") :][:3]
            if line.startswith(b"HTTP/1.1 ") and status.isdigit() and int(status) >= 500 and status != b"501":
                raise FindingError(f"{line!r}: {received[-500:]!r}")

    return _run(http_bytes.requests(target.pictures), examples, check)


def grpc_calls(target: Target, examples: int) -> int:
    """Unary calls and streams; no status is INTERNAL or UNKNOWN, and none comes after its deadline."""
    with grpc.insecure_channel(f"127.0.0.1:{target.grpc_port}") as channel:
        stub = retarget_pb2_grpc.RetargetServiceStub(channel)

        def check_call(call: Callable[[], Any]) -> None:
            try:
                call()
            except grpc.RpcError as error:
                if error.code() in INTERNAL:
                    raise FindingError(f"{error.code()}: {error.details()}") from error

        def check_stream(messages: grpc_messages.Messages) -> None:
            def call() -> None:
                for response in stub.RetargetStream(iter(messages), timeout=PATIENCE_SECONDS):
                    if response.answer.problem.name == "internal":
                        raise FindingError(response.answer.problem.detail)

            check_call(call)

        def check_unary(image: pb.Image) -> None:
            check_call(lambda: stub.Retarget(pb.RetargetRequest(image=image), timeout=PATIENCE_SECONDS))

        def check_bytes(data: bytes) -> None:
            """Bytes that are not always a message."""
            for path in ("Retarget", "RetargetStream", "GetModel", "None"):
                call = channel.stream_stream(f"/mfn.v1.RetargetService/{path}", None, None)
                check_call(lambda call=call: list(call(iter([data]), timeout=PATIENCE_SECONDS)))  # type: ignore[misc]

        sent = _run(grpc_messages.streams(target.pictures), examples, check_stream)
        sent += _run(grpc_messages.images(target.pictures), examples, check_unary)
        return sent + 4 * _run(st.binary(max_size=200), examples // 4, check_bytes)


def websocket(target: Target, examples: int) -> int:
    """Streams over WebSocket; no problem is `internal`, no close code 1011, and each frame is answered in time."""
    url = f"ws://127.0.0.1:{target.http_port}/retarget/stream"

    def check(messages: websocket_messages.Messages) -> None:
        with connect(url, proxy=None, open_timeout=PATIENCE_SECONDS, close_timeout=PATIENCE_SECONDS) as client:
            try:
                for message in messages:
                    client.send(message)
                    client.recv(timeout=1e-6 if isinstance(message, str) else 0.05)
            except (TimeoutError, ConnectionClosed):
                pass
            client.close()
            if client.close_code == INTERNAL_CLOSURE:
                raise FindingError(f"closed with 1011: {client.close_reason}")

    return _run(websocket_messages.streams(target.pictures), examples, check)
