"""The limits of HTTP connections, with bytes written by hand and an application that answers with what it read."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.server.rest.connections import Connections
from service.server.rest.protocol import PIECE_BYTES, HttpProtocol
from service.settings import Settings
from tests.service.server.transports import Transport

LIMITS = Settings(max_header_bytes=2048, max_headers=10, max_connections=2)
HASTY = replace(LIMITS, header_seconds=0.1, deadline_seconds=0.1)
GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADE = (
    b"GET /retarget/stream HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


class Desk:
    """Takes connections for an application that notes what it was asked. hold: what it waits for before it answers."""

    def __init__(self, settings: Settings = LIMITS) -> None:
        self.settings = settings
        self.connections = Connections(settings.max_connections)
        self.asked: list[tuple[str, str, bytes]] = []
        self.scopes: list[Scope] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.state = ServerState()
        self.config = uvicorn.Config(
            self._app, interface="asgi3", ws="websockets-sansio", ws_per_message_deflate=False, log_config=None
        )
        self.config.load()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await asyncio.Event().wait()
        body = await Request(scope, receive).body()
        await self.hold.wait()
        self.asked.append((scope["method"], scope["path"], body))
        await PlainTextResponse(f"{len(body)} bytes")(scope, receive, send)

    def connect(self) -> tuple[HttpProtocol, Transport]:
        transport = Transport()
        protocol = HttpProtocol(self.config, self.state, {}, self.settings, self.connections)
        protocol.connection_made(transport)
        return protocol, transport

    async def sent(self, *pieces: bytes) -> Transport:
        """What a connection that sends these has come to after a moment."""
        protocol, transport = self.connect()
        for piece in pieces:
            if transport.closed:
                break
            (transport.protocol or protocol).data_received(piece)
            await moment()
        return transport


async def moment() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


def run(test: Callable[[Desk], Awaitable[None]], settings: Settings = LIMITS) -> None:
    async def main() -> None:
        desk = Desk(settings)
        await test(desk)
        for task in desk.state.tasks:
            task.cancel()
        await asyncio.gather(*desk.state.tasks, return_exceptions=True)

    asyncio.run(main())


def of_size(size: int, line: bytes = b"GET /livez HTTP/1.1\r\n") -> bytes:
    """A request whose line and headers have so many bytes."""
    return line + b"a: " + b"b" * (size - len(line) - 7) + b"\r\n\r\n"


def of_fields(count: int) -> bytes:
    return b"GET /livez HTTP/1.1\r\n" + b"a: b\r\n" * count + b"\r\n"


def refused(transport: Transport, status: int = 431) -> bool:
    """Asserts that the answer is a problem with this status, in full, and the end of the connection."""
    head, _, body = transport.sent.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), transport.sent
    assert b"connection: close" in head
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["status"] == status
    return transport.closed or transport.ended


def is_error(transport: Transport, status: int) -> bool:
    """Whether the answer has this status and the form of KServe's protocols."""
    head, _, body = transport.sent.partition(b"\r\n\r\n")
    document = json.loads(body)
    assert head.startswith(b"HTTP/1.1 %d " % status), transport.sent
    assert b"content-type: application/json" in head
    return bool(document["error"]) and document["error"] == document["detail"]


@pytest.mark.parametrize("path", [b"/v1/models/mfn:predict", b"/v2/models/mfn/infer"])
@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b" HTTP/1.1\r\n" + b"a: b\r\n" * 11 + b"\r\n", 431),
        (b" HTTP/3.1\r\n", 400),
        (b" HTTP/1.1\r\na: \x16\r\n", 400),
    ],
    ids=["headers", "version", "header"],
)
def test_clients_of_kserves_protocols_find_the_error(path: bytes, rest: bytes, status: int) -> None:
    async def test(desk: Desk) -> None:
        assert is_error(await desk.sent(b"GET " + path + rest), status)

    run(test)


@pytest.mark.parametrize("step", [1, 7, 5000])
@pytest.mark.parametrize("line", [b"GET /livez HTTP/1.1\r\n", b"GET /livez?" + b"x" * 1000 + b" HTTP/1.1\r\n"])
def test_headers_of_the_most_bytes_are_served_and_one_more_is_refused(step: int, line: bytes) -> None:
    async def test(desk: Desk) -> None:
        for size, served in ((2048, True), (2049, False)):
            data = of_size(size, line)
            assert len(data) == size
            transport = await desk.sent(*(data[start : start + step] for start in range(0, size, step)))
            assert transport.sent.startswith(b"HTTP/1.1 200") if served else refused(transport)

    run(test)


def test_the_most_headers_are_served_and_one_more_is_refused() -> None:
    async def test(desk: Desk) -> None:
        assert (await desk.sent(of_fields(10))).sent.startswith(b"HTTP/1.1 200")
        assert refused(await desk.sent(of_fields(11)))

    run(test)


def test_the_defaults_are_64_kib_and_100_headers() -> None:
    async def test(desk: Desk) -> None:
        for data, served in (
            (of_size(65_536), True), (of_size(65_537), False), (of_fields(100), True), (of_fields(101), False)
        ):  # fmt: skip
            transport = await desk.sent(data)
            assert transport.sent.startswith(b"HTTP/1.1 200") if served else refused(transport)

    run(test, Settings())


@pytest.mark.parametrize(
    "flood",
    [
        GET[:-2] + b"a: b\r\n" * 400,
        GET[:-2] + b"a: " + b"b" * 3000,
        b"GET /" + b"a" * 3000,
        b"\r\n" * 2000,
        CHUNKED + b"1\r\na\r\n0\r\n" + b"a: b\r\n" * (PIECE_BYTES // 6),
        CHUNKED + b"1\r\na\r\n0\r\na: " + b"b" * 2 * PIECE_BYTES,
        CHUNKED + b"1;a=" + b"b" * 2 * PIECE_BYTES,
    ],
    ids=["headers", "header", "url", "blank lines", "trailers", "trailer", "chunk extension"],
)
@pytest.mark.parametrize("step", [6, 999, 10**6])
def test_what_never_ends_is_refused(flood: bytes, step: int) -> None:
    async def test(desk: Desk) -> None:
        assert refused(await desk.sent(*(flood[start : start + step] for start in range(0, len(flood), step))))
        assert desk.asked == []

    run(test)


def test_after_a_refusal_nothing_is_read_and_the_connection_ends() -> None:
    async def test(desk: Desk) -> None:
        protocol, transport = desk.connect()
        protocol.data_received(of_fields(11))
        sent = transport.sent
        protocol.data_received(GET)
        await moment()
        assert (transport.sent, desk.asked, transport.closed) == (sent, [], False)
        protocol.data_received(bytes(2**20))
        assert transport.aborted

    run(test)


@pytest.mark.parametrize("step", [1, 3, 10**6])
def test_requests_in_a_row_are_answered_in_their_order(step: int) -> None:
    data = (
        GET
        + b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"
        + CHUNKED
        + b"1\r\nx\r\n" * 50
        + b"0\r\nX-Api-Key: trailer\r\n\r\n"
        + GET
    )

    async def test(desk: Desk) -> None:
        transport = await desk.sent(*(data[start : start + step] for start in range(0, len(data), step)))
        assert desk.asked == [
            ("GET", "/livez", b""), ("POST", "/a", b"abcde"), ("POST", "/", b"x" * 50), ("GET", "/livez", b"")
        ]  # fmt: skip
        assert transport.sent.count(b"HTTP/1.1 200 OK") == 4
        assert not transport.closed
        assert all(name != b"x-api-key" for name, _ in desk.scopes[2]["headers"])

    run(test)


def test_requests_that_come_before_an_answer_stay_bytes() -> None:
    async def test(desk: Desk) -> None:
        desk.hold.clear()
        protocol, transport = desk.connect()
        protocol.data_received(GET * 1000)
        await moment()  # in which the application asks for the body, and so for more to be read
        protocol.data_received(GET * 1000)
        assert (len(desk.scopes), len(protocol.pipeline), transport.is_reading()) == (1, 0, False)
        desk.hold.set()
        for _ in range(2000):
            await moment()
            if len(desk.asked) == 2000:
                break
        assert transport.sent.count(b"HTTP/1.1 200 OK") == 2000
        assert transport.is_reading()

    run(test)


@pytest.mark.parametrize("first", [GET, CHUNKED + b"0\r\n"], ids=["get", "end of a chunked body"])
def test_nothing_is_read_while_requests_wait(first: bytes) -> None:
    """Neither with an answer, nor when the application asks for more of a body."""

    async def test(desk: Desk) -> None:
        desk.hold.clear()
        protocol, transport = desk.connect()
        protocol.data_received(first)
        protocol.data_received((b"" if first == GET else b"\r\n") + GET * 20)
        while protocol.pipeline or protocol._held:
            assert len(protocol._held) <= 20 * len(GET)
            await moment()
            if transport.is_reading() and (protocol.pipeline or protocol._held):
                protocol.data_received(GET * 20)
            desk.hold.set()
            await asyncio.sleep(0)
            desk.hold.clear()
        desk.hold.set()
        await moment()
        assert len(desk.asked) == 21
        assert transport.is_reading()

    run(test)


@pytest.mark.parametrize("step", [1, 50, 10**6])
def test_requests_after_chunked_bodies_are_held_and_answered(step: int) -> None:
    data = (CHUNKED + b"3\r\nabc\r\n0\r\n\r\n" + GET * 20) * 5

    async def test(desk: Desk) -> None:
        protocol, transport = desk.connect()
        for start in range(0, len(data), step):
            protocol.data_received(data[start : start + step])
            assert len(protocol.pipeline) <= 1
            await asyncio.sleep(0)
        for _ in range(20):
            await moment()
        assert [body for _, _, body in desk.asked] == [b"abc", *[b""] * 20] * 5
        assert transport.sent.count(b"HTTP/1.1 200 OK") == 105

    run(test)


def test_trailers_are_no_headers() -> None:
    """Nor where the body begins in the piece in which the headers end, nor those of the next request."""

    async def test(desk: Desk) -> None:
        rest = b"\n3\r\nabc\r\n0\r\nX-Api-Key: trailer\r\n\r\n" + GET
        for step in (1, 5, 100):
            await desk.sent(CHUNKED[:-1], *(rest[start : start + step] for start in range(0, len(rest), step)))
        assert [body for _, _, body in desk.asked] == [b"abc", b""] * 3
        assert {name for scope in desk.scopes for name, _ in scope["headers"]} == {b"host", b"transfer-encoding"}

    run(test)


def test_a_body_whose_first_bytes_come_with_the_end_of_the_headers_ends_where_it_ends() -> None:
    async def test(desk: Desk) -> None:
        head = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r"
        protocol, _ = desk.connect()
        protocol.data_received(head)
        protocol.data_received(b"\nab\r\n\r\n")
        assert protocol._body_left == 3
        protocol.data_received(b"cde" + GET * 20)
        assert not protocol.pipeline
        for _ in range(10):
            await moment()
        assert desk.asked == [("POST", "/a", b"ab\r\n\r\ncde"), *[("GET", "/livez", b"")] * 20]

    run(test)


def test_what_http_has_besides() -> None:
    async def test(desk: Desk) -> None:
        head = await desk.sent(GET.replace(b"GET", b"HEAD"))
        assert head.sent.startswith(b"HTTP/1.1 200")
        assert head.sent.endswith(b"\r\n\r\n")
        old = await desk.sent(b"GET /livez HTTP/1.0\r\n\r\n")
        assert b"connection: close" in old.sent
        assert old.closed
        post = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        asks = await desk.sent(post)
        assert asks.sent == b"HTTP/1.1 100 Continue\r\n\r\n"
        goes_on = await desk.sent(post, b"abc")
        assert b"\r\n\r\n3 bytes" in goes_on.sent.partition(b"200 OK")[2]
        large = await desk.sent(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", bytes(10**6))
        assert large.sent.endswith(b"1000000 bytes")
        assert (await desk.sent(b"no HTTP\r\n\r\n")).sent.startswith(b"HTTP/1.1 400")

    run(test)


def test_an_upgrade_has_the_same_limits() -> None:
    async def test(desk: Desk) -> None:
        assert refused(await desk.sent(UPGRADE + b"a: b\r\n" * 6 + b"\r\n"))
        transport = await desk.sent(UPGRADE + b"\r\n")
        assert transport.sent.startswith(b"HTTP/1.1 101")
        assert b"Sec-WebSocket-Extensions" not in transport.sent
        assert len(desk.connections) == 2

    run(test)


H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"


@pytest.mark.parametrize("step", [1, 7, 10**6])
@pytest.mark.parametrize(
    "asks",
    [
        H2C,
        b"connection: keep-alive, upgrade\r\nupgrade: TLS/1.3, HTTP/2.0\r\n",
        b"Upgrade: h2c\r\nConnection: Upgrade\r\nUpgrade: foo\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n",  # on a path, or with a method, that opens none
    ],
    ids=["h2c of Java and curl", "TLS", "two headers", "WebSocket elsewhere"],
)
def test_requests_that_ask_for_another_protocol_are_served_as_they_are(asks: bytes, step: int) -> None:
    """With their bodies, and those that follow on the same connection."""
    data = (
        b"POST /retarget?a=b HTTP/1.1\r\nHost: a\r\n" + asks + b"Content-Length: 13\r\n\r\nab\r\n\r\nGET / c"
        b"POST /retarget/stream HTTP/1.1\r\n" + asks + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        b"GET /model HTTP/1.1\r\n" + asks + b"\r\n" + GET
    )

    async def test(desk: Desk) -> None:
        transport = await desk.sent(*(data[start : start + step] for start in range(0, len(data), step)))
        await moment()
        assert desk.asked == [
            ("POST", "/retarget", b"ab\r\n\r\nGET / c"), ("POST", "/retarget/stream", b"abc"), ("GET", "/model", b""),
            ("GET", "/livez", b""),
        ]  # fmt: skip
        assert desk.scopes[0]["query_string"] == b"a=b"
        assert (b"host", b"a") in desk.scopes[0]["headers"]
        assert all(name != b"upgrade" for scope in desk.scopes for name, _ in scope["headers"])
        assert transport.sent.count(b"HTTP/1.1 200 OK") == 4
        assert not transport.closed

    run(test)


def test_whoever_asks_for_another_protocol_has_the_same_limits() -> None:
    async def test(desk: Desk) -> None:
        begin = b"GET /livez HTTP/1.1\r\n" + H2C
        assert (await desk.sent(begin + b"a: b\r\n" * 7 + b"\r\n")).sent.startswith(b"HTTP/1.1 200")
        assert refused(await desk.sent(begin + b"a: b\r\n" * 8 + b"\r\n"))
        assert refused(await desk.sent(begin + b"a: " + b"b" * 2048 + b"\r\n\r\n"))
        for closing in (begin.replace(b"Upgrade, ", b"Upgrade, close, "), begin.replace(b"1.1", b"1.0")):
            transport = await desk.sent(closing + b"\r\n" + GET)
            assert transport.sent.count(b"200 OK") == transport.sent.count(b"connection: close") == 1
            assert transport.closed

    run(test)


def detail(transport: Transport) -> str:
    """The sentence of a refusal."""
    sentence: str = json.loads(transport.sent.partition(b"\r\n\r\n")[2])["detail"]
    return sentence


@pytest.mark.parametrize("step", [1, 10**6])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "speaks plain HTTP, and TLS came"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "speaks HTTP/1.1, and HTTP/2 came"),
        (b"no HTTP\r\n\r\n", "Invalid method"),
        (b"GET / HTTP/3.1\r\n\r\n", "Invalid HTTP version"),
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", "Invalid header token"),
        (b"GET / HTTP/1.1\r\na: \x16\r\n\r\n", "Invalid header value"),
        (b"POST / HTTP/1.1\r\nContent-Length: 3x\r\n\r\n", "Content-Length"),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding"),
        (CHUNKED + b"zz\r\n", "chunk size"),
        (b"GET http://a HTTP/1.1\r\n\r\n", "target of the request is no path"),
        (b"GET http://a HTTP/1.1\r\n" + H2C + b"\r\n", "target of the request is no path"),
    ],
)
def test_what_is_no_http_is_told_what_is_wrong(data: bytes, words: str, step: int) -> None:
    async def test(desk: Desk) -> None:
        transport = await desk.sent(*(data[start : start + step] for start in range(0, len(data), step)))
        assert refused(transport, 400)
        assert b"urn:problem-type:mfn:bad-request" in transport.sent
        assert words in detail(transport)
        assert desk.asked == []

    run(test)


def test_a_proxy_is_not_here() -> None:
    async def test(desk: Desk) -> None:
        transport = await desk.sent(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n" + GET)
        assert refused(transport, 405)
        assert "CONNECT" in detail(transport)
        assert desk.asked == []

    run(test)


def test_a_refusal_names_the_limit_that_was_passed() -> None:
    async def test(desk: Desk) -> None:
        assert detail(await desk.sent(of_fields(11))) == (
            "There are more than 10 headers, the most allowed (MFN_MAX_HEADERS). Send fewer."
        )
        assert detail(await desk.sent(of_size(2049))) == (
            "There are more than 2048 bytes of headers, the most allowed (MFN_MAX_HEADER_BYTES). Send fewer."
        )

    run(test)


def test_a_connection_without_a_request_stays_open_for_as_long_as_is_set() -> None:
    async def test(desk: Desk) -> None:
        transport = await desk.sent(GET)
        await asyncio.sleep(0.15)
        assert not transport.closed
        await asyncio.sleep(0.2)
        assert transport.closed

    assert Settings().keep_alive_seconds > 60  # for which load balancers keep theirs
    run(test, replace(HASTY, keep_alive_seconds=0.25))


def test_headers_must_come_in_time() -> None:
    async def test(desk: Desk) -> None:
        for data in (b"", b"GET", GET[:-1], b"\r\n"):
            transport = await desk.sent(data)
            assert not transport.closed
            await asyncio.sleep(0.15)
            assert transport.closed, data

    run(test, HASTY)


def test_later_headers_must_come_in_time_too() -> None:
    async def test(desk: Desk) -> None:
        transport = await desk.sent(GET, GET[:5])
        assert not transport.closed
        await asyncio.sleep(0.15)
        assert transport.closed

    run(test, HASTY)


def test_a_body_that_nobody_reads_must_end_in_time() -> None:
    async def test(desk: Desk) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await PlainTextResponse("no")(scope, receive, send)

        desk.config.loaded_app = app
        transport = await desk.sent(CHUNKED, b"1\r\na\r\n")
        assert b"200 OK" in transport.sent
        await asyncio.sleep(0.15)
        assert transport.closed

    run(test, HASTY)


def test_a_request_in_work_has_time() -> None:
    async def test(desk: Desk) -> None:
        desk.hold.clear()
        transport = await desk.sent(CHUNKED, b"1\r\na\r\n")
        await asyncio.sleep(0.15)
        assert not transport.closed

    run(test, HASTY)


def test_answers_must_be_taken_in_time() -> None:
    async def test(desk: Desk) -> None:
        protocol, transport = desk.connect()
        transport.unread = 10**5
        protocol.pause_writing()
        protocol.data_received(GET)
        await asyncio.sleep(0.05)
        transport.unread = 0
        protocol.resume_writing()
        await asyncio.sleep(0.1)
        assert b"200 OK" in transport.sent
        assert not transport.aborted
        transport.unread = 10
        protocol.data_received(GET.replace(b"1.1", b"1.0"))
        await asyncio.sleep(0.05)
        assert (transport.closed, transport.aborted) == (True, False)
        await asyncio.sleep(0.1)
        assert transport.aborted

    run(test, HASTY)


def test_the_longest_waiting_connection_makes_room() -> None:
    async def test(desk: Desk) -> None:
        desk.hold.clear()
        busy = await desk.sent(GET)
        silent = await desk.sent(b"GET")
        newest = await desk.sent(b"GET")
        assert (busy.closed, silent.aborted, newest.closed) == (False, True, False)
        assert len(desk.connections) == 2

    run(test)


def test_when_all_are_busy_only_probes_are_answered() -> None:
    async def test(desk: Desk) -> None:
        desk.hold.clear()
        for _ in range(2):
            await desk.sent(CHUNKED)
        other = await desk.sent(GET.replace(b"livez", b"model"))
        assert refused(other, 503)
        assert b"retry-after: 1" in other.sent
        assert is_error(await desk.sent(GET.replace(b"livez", b"v2/models/mfn")), 503)
        assert refused(await desk.sent(UPGRADE + b"\r\n"), 503)
        desk.hold.set()
        assert (await desk.sent(GET)).sent.startswith(b"HTTP/1.1 200")

    run(test)


def test_beyond_the_limit_a_connection_has_one_answer() -> None:
    async def test(desk: Desk) -> None:
        desk.hold.clear()
        for _ in range(2):
            await desk.sent(CHUNKED)
        desk.hold.set()
        protocol, transport = desk.connect()
        protocol.data_received(GET * 100)
        await moment()
        assert transport.sent.count(b"HTTP/1.1 200 OK") == 1
        assert b"connection: close" in transport.sent
        assert transport.closed
        assert not protocol._held

    run(test)


def test_of_connections_whose_requests_were_held_one_goes_on_at_a_time() -> None:
    async def test(desk: Desk) -> None:
        lines = [desk.connect() for _ in range(50)]
        for protocol, _ in lines:
            protocol.data_received(GET * 10)
        await moment()
        before = len(desk.asked)
        assert before < 100
        await asyncio.sleep(0)
        assert len(desk.asked) <= before + 1
        while len(desk.asked) < 500:
            await moment()
        await moment()
        assert all(transport.sent.count(b"HTTP/1.1 200 OK") == 10 and transport.is_reading() for _, transport in lines)

    run(test, replace(LIMITS, max_connections=50))
