"""How responses reach the kernel: how many writes there are, and what is in each."""

import asyncio
import logging
from collections.abc import Iterable
from typing import cast

import pytest
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from service.server.rest.joined_head import JoinedHead


class Recorder(asyncio.Transport):
    """A transport that keeps what is written, one entry for each write, and b"closed" at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if data:
            self.written.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.written.append(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return b"closed" in self.written

    def close(self) -> None:
        self.written.append(b"closed")

    def resume_reading(self) -> None:
        pass


def writes(app: ASGIApp, method: str = "GET", expects: bool = False) -> list[bytes]:
    """What uvicorn writes of an application's response."""

    async def scene() -> list[bytes]:
        transport = Recorder()
        logger = logging.getLogger("uvicorn.error")
        cycle = RequestResponseCycle(
            scope={"type": "http", "method": method, "path": "/", "headers": []},  # type: ignore[typeddict-item]
            transport=transport,
            flow=FlowControl(transport),
            logger=logger,
            access_logger=logger,
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=expects,
            keep_alive=True,
            on_response=lambda: None,
        )
        cycle.transport = cast(asyncio.Transport, JoinedHead(transport, cycle))
        cycle.more_body = False
        cycle.message_event.set()  # the request has come in full
        await cycle.run_asgi(app)  # type: ignore[arg-type]
        return transport.written

    return asyncio.run(scene())


def test_the_head_and_the_body_are_one_write() -> None:
    (written,) = writes(PlainTextResponse("hello"))
    assert written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert written.endswith(b"content-length: 5\r\ncontent-type: text/plain; charset=utf-8\r\n\r\nhello")


def test_the_rest_of_a_body_follows_as_it_comes() -> None:
    first, second, last = writes(StreamingResponse(iter(["one", "two"])))
    assert first.endswith(b"\r\n\r\n3\r\none\r\n")
    assert (second, last) == (b"3\r\ntwo\r\n", b"0\r\n\r\n")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_head_without_a_body_is_written(method: str) -> None:
    (written,) = writes(PlainTextResponse("" if method == "GET" else "hello"), method)
    assert written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert written.endswith(b"\r\n\r\n")


def test_a_client_that_waits_for_100_continue_is_told_at_once() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await PlainTextResponse("hello")(scope, receive, send)

    first, second = writes(app, expects=True)
    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert second.endswith(b"\r\n\r\nhello")


def test_a_response_that_fails_after_its_head_is_cut_off_there() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        raise OSError("no more")

    head, closed = writes(app)
    assert head.endswith(b"content-length: 5\r\n\r\n")
    assert closed == b"closed"
