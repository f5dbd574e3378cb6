"""The limits of WebSocket connections, with frames written by hand and an application that notes what it receives."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.server.rest.connections import Connections
from service.server.websocket.protocol import (
    FIRST_FRAMES,
    FIRST_MESSAGE_BYTES,
    FRAMES_AT_ONCE,
    MESSAGE_FRAMES,
    WebSocketProtocol,
)
from service.settings import Settings
from tests.service.server.transports import Transport

SETTINGS = Settings(max_bytes=100_000, frame_deadline_seconds=0.1)
OPENING = (
    b"GET /retarget/stream HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)
LONGEST = 256 + 4 * 33_334  # a picture of 100,000 bytes as a data URL
CONTINUED, TEXT, BINARY, CLOSE, PING = 0, 1, 2, 8, 9
TOO_BIG = (1009).to_bytes(2)


def told_too_big(sent: bytes) -> str:
    """The sentence of the problem before the close with 1009, whose reason tells the cure, too."""
    size = int.from_bytes(sent[2:4])
    text, end = sent[4 : 4 + size], sent[4 + size :]
    assert (sent[:2], end[0], end[2:4]) == (b"\x81\x7e", 0x88, TOO_BIG)
    assert len(end) - 2 == end[1] <= 125
    problem = json.loads(text)["problem"]
    assert problem["status"] == 413
    assert end[4:].decode().split(". ")[1] in problem["detail"]
    detail: str = problem["detail"]
    return detail


def frame(data: bytes, opcode: int = TEXT, fin: bool = True) -> bytes:
    """As a client sends it, under a mask that changes nothing."""
    size = len(data)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 2**16:
        length = bytes([0x80 | 126]) + size.to_bytes(2)
    else:
        length = bytes([0x80 | 127]) + size.to_bytes(8)
    return bytes([opcode | 0x80 * fin]) + length + bytes(4) + data


class Line:
    """One connection to an application that takes a message each time it is let."""

    def __init__(self) -> None:
        self.state = ServerState()
        config = uvicorn.Config(
            self._app, interface="asgi3", ws="websockets-sansio", ws_per_message_deflate=False, log_config=None
        )
        config.load()
        self.connections = Connections(2)
        self.protocol = WebSocketProtocol(config, self.state, {}, SETTINGS, self.connections)
        self.transport = Transport()
        self.received: list[object] = []
        self.code: int | None = None
        self._turns = asyncio.Semaphore(0)
        self.protocol.connection_made(self.transport)

    async def open(self) -> None:
        self.protocol.data_received(OPENING)
        await moment()
        assert self.transport.sent.startswith(b"HTTP/1.1 101")
        self.transport.sent = b""

    async def take(self, count: int = 1) -> None:
        """The application asks for so many more messages."""
        for _ in range(count):
            self._turns.release()
            await moment()

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            if not self.transport.closed:
                self.protocol.data_received(piece)
        await moment()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            await self._turns.acquire()
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.code = message["code"]
                return
            text, data = message.get("text"), message.get("bytes")
            self.received.append(data if text is None else text)


async def moment() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def run(test: Callable[[Line], Awaitable[None]]) -> None:
    async def main() -> None:
        line = Line()
        await line.open()
        await test(line)
        line.protocol.connection_lost(None)
        for task in line.state.tasks:
            task.cancel()
        await asyncio.gather(*line.state.tasks, return_exceptions=True)

    asyncio.run(main())


@pytest.mark.parametrize("step", [1, 5, 10**6])
def test_messages_come_one_by_one_however_they_are_cut(step: int) -> None:
    messages: list[str | bytes] = ["{}", b"a" * 5, b"b" * 300, b"c" * 70_000, ""]
    data = b"".join(frame(m.encode()) if isinstance(m, str) else frame(m, BINARY) for m in messages)

    async def test(line: Line) -> None:
        for start in range(0, len(data), step):
            line.protocol.data_received(data[start : start + step])
        assert line.received == []
        for number in range(1, 6):
            await line.take()
            assert line.received == messages[:number]

    run(test)


def test_nothing_is_read_before_it_is_asked_for() -> None:
    async def test(line: Line) -> None:
        await line.send(frame(b"{}"))
        assert not line.transport.is_reading()
        await line.take()
        assert line.received == ["{}"]
        assert not line.transport.is_reading()  # it has not been accepted yet
        await line.take()
        assert line.transport.is_reading()
        await line.send(frame(b"a", BINARY) * 1000)
        assert line.received == ["{}", b"a"]
        assert not line.transport.is_reading()
        assert line.protocol.queue.empty()

    run(test)


def test_the_first_message_is_short_and_those_after_it_are_pictures() -> None:
    async def test(line: Line) -> None:
        first = "x" * FIRST_MESSAGE_BYTES
        await line.send(frame(first.encode()) + frame(bytes(LONGEST), BINARY) + frame(bytes(LONGEST + 1), BINARY))
        await line.take(3)
        assert line.received == [first, bytes(LONGEST)]
        assert "more than 100000 bytes" in told_too_big(line.transport.sent)
        assert line.code == 1009

    run(test)


@pytest.mark.parametrize(
    "message",
    [
        frame(bytes(FIRST_MESSAGE_BYTES + 1), BINARY),
        frame(b"x" * 2**20)[:14],
        frame(b"x" * 9000, fin=False) + frame(b"x" * 9000, CONTINUED),
    ],
    ids=["frame", "announced", "fragments"],
)
def test_a_first_message_that_is_longer_ends_the_connection(message: bytes) -> None:
    async def test(line: Line) -> None:
        await line.take()
        await line.send(message)
        assert "Send the configuration first" in told_too_big(line.transport.sent)
        assert line.received == []
        sent = line.transport.sent
        await line.send(message)  # the rest is not looked at, and does not make the close lose what is told
        assert line.transport.sent == sent
        assert line.transport.is_reading()

    run(test)


def test_fragments_are_put_together_as_they_come() -> None:
    async def test(line: Line) -> None:
        await line.take()
        await line.send(frame(b"a", fin=False), *[frame(b"", CONTINUED, fin=False)] * 50)
        assert line.protocol.frames == []
        assert bytes(line.protocol._fragments) == b"a"
        await line.send(frame(b"b", CONTINUED, fin=False), frame(b"c", CONTINUED))
        assert line.received == ["abc"]
        await line.take()
        await line.send(frame(b"d", BINARY, fin=False), frame(b"e", CONTINUED))
        assert line.received == ["abc", b"de"]

    run(test)


def test_pings_are_answered_as_long_as_pongs_are_read() -> None:
    async def test(line: Line) -> None:
        await line.take()
        await line.send(frame(b"hi", PING))
        assert line.transport.sent == b"\x8a\x02hi"
        line.protocol.pause_writing()
        await line.send(frame(b"hi", PING) * 50)
        assert line.transport.sent == b"\x8a\x02hi"
        await asyncio.sleep(0.15)
        assert line.transport.aborted

    run(test)


def test_a_message_has_so_many_frames() -> None:
    async def test(line: Line) -> None:
        await line.take()
        await line.send(*[frame(b"hi", PING)] * (FIRST_FRAMES - 1), frame(b"{}"))
        await line.take()
        await line.send(*[frame(b"hi", PING)] * MESSAGE_FRAMES)
        assert not line.transport.closed
        line.transport.sent = b""
        await line.send(frame(b"hi", PING))
        assert line.transport.sent[2:4] == (1008).to_bytes(2)
        assert (line.received, line.code) == (["{}"], 1008)

    run(test)


def test_frames_on_their_way_do_not_hide_the_servers_close() -> None:
    """A connection that is closed with unread bytes is reset, and its client may lose what it was told."""

    async def test(line: Line) -> None:
        await line.send(frame(b"{}"))
        await line.take(2)
        await line.protocol.send({"type": "websocket.close", "code": 1013, "reason": ""})
        await line.send(*[frame(bytes(1000), BINARY)] * (3 * FIRST_FRAMES))
        assert not line.transport.closed
        assert line.received == ["{}"]
        await line.send(frame((1013).to_bytes(2), CLOSE))
        assert line.transport.closed

    run(test)


def test_pings_leave_turns_to_others() -> None:
    async def test(line: Line) -> None:
        await line.take()
        turns, frames = 0, 40 * FRAMES_AT_ONCE
        await line.send(frame(b"{}"))
        await line.take()
        line.transport.sent = b""
        line.protocol.data_received(frame(b"hi", PING) * frames)
        while line.protocol._held:
            assert not line.transport.is_reading()
            await asyncio.sleep(0)
            turns += 1
        assert turns >= frames // FRAMES_AT_ONCE - 1
        assert line.transport.is_reading()
        assert line.transport.sent == b"\x8a\x02hi" * frames

    run(test)


def test_a_client_that_answers_no_ping_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.server.websocket.protocol.CLOSING_SECONDS", 0.05)

    async def test(line: Line) -> None:
        await line.take()
        line.protocol.keepalive_timeout()
        await moment()
        assert line.code == 1006
        assert not line.transport.aborted
        line.protocol.pause_writing()
        line.protocol.resume_writing()  # it reads a little, and never all
        await asyncio.sleep(0.1)
        assert line.transport.aborted

    run(test)


def test_a_client_that_reads_in_time_stays() -> None:
    async def test(line: Line) -> None:
        line.protocol.pause_writing()
        line.protocol.resume_writing()
        await asyncio.sleep(0.15)
        assert not line.transport.closed

    run(test)


def test_the_end_is_noticed() -> None:
    async def test(line: Line) -> None:
        await line.take()
        await line.send(frame((1001).to_bytes(2), CLOSE))
        assert line.code == 1001
        assert line.transport.closed

    run(test)


def test_it_can_make_room_until_it_is_accepted() -> None:
    async def test(line: Line) -> None:
        await line.send(frame(b"{}"))
        await line.take(2)
        for _ in range(3):
            line.connections.open(Transport())
        assert not line.transport.closed
        assert len(line.connections) == 2

    run(test)

    async def silent(line: Line) -> None:
        await line.take()
        for _ in range(2):
            line.connections.open(Transport())
        assert line.transport.aborted

    run(silent)


def test_what_opens_no_websocket_is_answered() -> None:
    async def main() -> None:
        for request, status in (
            (b"POST" + OPENING[3:], b"405"),
            (OPENING.replace(b"a\r", b"a" * 9000 + b"\r"), b"431"),
        ):
            line = Line()
            line.protocol.data_received(request)
            assert line.transport.sent.split()[1] == status
            assert line.transport.closed

    asyncio.run(main())
