"""uvicorn's HTTP/1.1 with limits: of headers and trailers, of time, and of pipelined requests.

Bytes are fed to the parser in pieces that end where a request's headers end, where its body ends, or where a limit is
reached. So the server holds at most `max_header_bytes` of a message's head, and requests that a client sends before it
has received its responses (pipelining) are kept unparsed.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final, Self

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from service.errors import BAD_REQUEST, HEADERS_TOO_LARGE, METHOD_NOT_ALLOWED, UNAVAILABLE, RequestError
from service.server.rest.connections import Connections
from service.server.rest.joined_head import JoinedHead
from service.server.rest.refusals import problem_on
from service.server.websocket.endpoint import PATH as STREAM_PATH
from service.server.websocket.protocol import WebSocketProtocol
from service.settings import Settings

LOGGER: Final = logging.getLogger("mfn.rest")
PROBES: Final = frozenset({"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"})
HEAD_END: Final = b"\r\n\r\n"
CLOSE: Final = {"connection": "close"}
TLS_HANDSHAKE: Final = 0x16  # the first byte of a TLS connection: its record's type, RFC 8446 section 5.1
HTTP_2_PREFACE: Final = "Pause on PRI/Upgrade"  # the parser's words for it, RFC 9113 section 3.4
TICK_SECONDS: Final = 1.0  # longest interval between two checks of a connection's deadline
PIECE_BYTES: Final = 16 * 2**10  # fed at once of a body of unknown length
# Requests parsed before their turn; usually none, or one where an empty line came in two parts.
MAX_PIPELINED: Final = 16
# After a refusal the connection lingers: closing a socket with unread bytes resets it, and the response would be lost.
LINGER_SECONDS: Final = 1.0
LINGER_BYTES: Final = 2**20


class Flow(FlowControl):
    """uvicorn's flow control, except that reading stays paused while requests wait that have been read already.

    uvicorn resumes reading after each response and whenever the application asks for more of a body.
    """

    def __init__(self, transport: asyncio.Transport, requests_wait: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._requests_wait = requests_wait

    def resume_reading(self) -> None:
        """Resumes reading unless requests wait."""
        if not self._requests_wait():
            super().resume_reading()


class Pieces:
    """What has come of a body and has not been received yet; in place of uvicorn's bytearray, into which every byte
    would be copied, and out of it again."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def __iadd__(self, piece: bytes) -> Self:
        self._pieces.append(piece)
        self._size += len(piece)
        return self

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return b"".join(self._pieces)


class HttpProtocol(HttpToolsProtocol):
    """One HTTP connection.

    It is closed where headers do not come within `header_seconds`, counted from its opening and from the first byte of
    each later request, where no later request begins within `keep_alive_seconds`, and where the client does not read a
    response within `deadline_seconds`.

    Only a GET of the stream's path becomes a WebSocket. Every other request that asks for another protocol (Upgrade) is
    served as HTTP/1.1, which RFC 9110, section 7.8, leaves to the server.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        settings: Settings,
        open_connections: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, asyncio.get_running_loop())
        self.ws_protocol_class = partial(  # type: ignore[assignment]
            WebSocketProtocol, settings=settings, open_connections=open_connections
        )
        self.url = b""  # of the request that comes, as far as it has come
        self._settings = settings
        self._open_connections = open_connections
        self._in_headers = True
        self._over_limit = False  # of open connections
        self._done = False  # nothing more is parsed: it is refused, or has been upgraded to another protocol
        self._max_bytes = settings.max_header_bytes
        self._max_fields = settings.max_headers
        self._fields = 0  # headers and trailers of the message
        self._pending = 0  # bytes since the message began, its headers ended, or the last byte of its body
        self._body_left = 0  # bytes left of a body with a Content-Length
        self._held = b""  # unparsed requests that came before the response to the current one
        self._deadline = math.inf  # the loop's time at which the connection is closed, while no request is in progress
        self._headers_timed = False  # whether that is the deadline of headers
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None  # for the client to read what was written
        self._lingering = 0  # bytes that came after a refusal

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Counts the connection and starts its timers."""
        super().connection_made(transport)
        self.flow = Flow(transport, lambda: bool(self.pipeline or self._held))
        self._await_headers()
        self._tick()
        if not self._open_connections.open(self):
            self._over_limit = True
            self.app = _probes_only(self.app)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops counting the connection and drops what it holds."""
        self._open_connections.close(self)
        self._stop_timers()
        self._held = b""
        super().connection_lost(exc)

    def abort(self) -> None:
        """Closes the connection at once, without sending what is left."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Feeds received bytes to the parser in pieces, and holds requests that come before the current response."""
        if self._done:
            self._linger(len(data))
            return
        if self._held:  # bytes that were read before reading was paused
            self._held += data
            self.flow.pause_reading()
            return
        position, size = 0, len(data)
        while position < size:
            cycle: RequestResponseCycle | None = self.cycle
            if cycle is not None and not cycle.response_complete and not cycle.more_body:
                self._held = data[position:]
                self.flow.pause_reading()
                return
            end = self._piece_end(data, position)
            length = end - position
            self._pending += length
            try:
                try:
                    self.parser.feed_data(data if length == size else memoryview(data)[position:end])
                except HttpParserUpgrade as upgrade:
                    end = position + upgrade.args[0]  # the end of the headers
                    self._upgrade()
            except HttpParserError as error:
                begins = cycle is None and self._pending == length
                self._refuse_malformed(error, tls=begins and data[position] == TLS_HANDSHAKE)
            if self._done or self.transport.is_closing():  # type: ignore[redundant-expr]  # callbacks have set it
                return
            if self._pending and (self._pending >= self._max_bytes or self._has_too_many_fields()):
                self._refuse()
                return
            position = end
        if not self._headers_timed and self._is_waiting():
            self._await_headers()

    def _piece_end(self, data: bytes, position: int) -> int:
        """The end of the piece that begins at `position`.

        An empty line ends headers and a chunked body, with or without trailers; within the data of a body it is rare.
        """
        size = len(data)
        if not self._in_headers and self._body_left:
            return min(size, position + self._body_left)
        most = min(size, position + (self._max_bytes - self._pending if self._in_headers else PIECE_BYTES))
        end = data.find(HEAD_END, position, most)
        return most if end < 0 else end + len(HEAD_END)

    def _linger(self, size: int) -> None:
        """Drops bytes that come after a refusal; closes the connection where they are too many."""
        self._lingering += size
        if self._lingering > LINGER_BYTES:
            self.transport.abort()

    def _refuse_malformed(self, error: HttpParserError, tls: bool) -> None:
        """tls: whether the connection begins as one of TLS."""
        if self._has_too_many_fields():
            self._refuse()
        else:
            self._answer(_malformed(error, tls))

    def _should_upgrade(self) -> bool:
        """Whether the request, whose headers have been parsed and ask for an upgrade, opens a WebSocket."""
        protocols = b",".join(value for name, value in self.headers if name == b"upgrade").lower()
        return (
            b"websocket" in map(bytes.strip, protocols.split(b","))
            and self.parser.get_method() == b"GET"
            and parse_url(self.url).path.removesuffix(b"/") == STREAM_PATH.encode()
        )

    def _upgrade(self) -> None:
        """Opens the WebSocket for which a request asks.

        Where it asks for another protocol, the parser has stopped at the end of its headers, as if no HTTP came after
        them. Another parser gets them without `Upgrade`, so that the request, its body and later requests are HTTP/1.1.
        """
        method: bytes = self.parser.get_method()
        if self._should_upgrade():
            self.handle_websocket_upgrade()
        elif method == b"CONNECT":
            self._answer(RequestError(METHOD_NOT_ALLOWED, "CONNECT is not served: this server is no proxy."))
        else:
            line = b"%b %b HTTP/%b" % (method, self.url, self.parser.get_http_version().encode())
            headers = [b": ".join(field) for field in self.headers if field[0] != b"upgrade"]
            self._fields = 0
            self.parser = HttpRequestParser(self)
            self.parser.feed_data(b"\r\n".join([line, *headers]) + HEAD_END)

    def _has_too_many_fields(self) -> bool:
        return self._fields > self._max_fields

    def on_header(self, name: bytes, value: bytes) -> None:
        """Counts a header or trailer; trailers are dropped."""
        self._fields += 1
        if self._in_headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Starts a request. Raises ValueError, which ends the parsing, where there are too many headers or requests."""
        if self._has_too_many_fields() or len(self.pipeline) == MAX_PIPELINED:
            raise ValueError("too many headers, or requests")
        if self.parser.should_upgrade() and not self._should_upgrade():
            return  # it is parsed once more, see _upgrade
        self._in_headers = False
        self._pending = 0
        self._body_left = next((int(value) for name, value in self.headers if name == b"content-length"), 0)
        self._deadline = math.inf
        self._headers_timed = False
        self._open_connections.set_busy(self)
        super().on_headers_complete()
        if self.cycle is not None:  # it is where a connection's first request opens a WebSocket
            self.cycle.transport = JoinedHead(self.transport, self.cycle)  # type: ignore[assignment]
            if self._over_limit:
                self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Passes on a part of a request's body."""
        self._pending = 0
        self._body_left = max(0, self._body_left - len(body))
        if not self.cycle.body:
            self.cycle.body = Pieces()  # type: ignore[assignment]
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Ends a request."""
        if self._in_headers:  # of one that is parsed once more
            return
        self._in_headers = True
        self._pending = self._fields = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Goes on with the next request or waits for it.

        Unlike uvicorn's, it creates no timer for that, which would be created and cancelled with every request.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._held = b""
            self.pipeline.clear()
            self._open_connections.set_idle(self)
            self._limit_write_time()
        elif self.pipeline or self._held:
            self._open_connections.take_turn(self._go_on)
        else:
            self._rest()

    def _go_on(self) -> None:
        """Goes on with the next held request."""
        if self._done or self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            self.flow.resume_reading()
            return
        data, self._held = self._held, b""
        self.flow.resume_reading()
        self.data_received(data)
        if self._is_waiting():
            self._open_connections.set_idle(self)

    def _rest(self) -> None:
        """Waits for the client's next request, or for the rest of a body that was not read."""
        self._open_connections.set_idle(self)
        if self._in_headers:
            self._deadline = self.loop.time() + self._settings.keep_alive_seconds
        else:
            self._await_headers()
        self.flow.resume_reading()

    def handle_websocket_upgrade(self) -> None:
        """Hands the connection over to WebSocketProtocol, or refuses it over the limit."""
        if self._over_limit:
            self._answer(_too_many_connections())
            return
        self._done = True
        self._stop_timers()
        self._open_connections.close(self)
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        """Called when the write buffer is full: limits the time for the client to read."""
        super().pause_writing()
        self._limit_write_time()

    def resume_writing(self) -> None:
        """Called when the client has read enough."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _is_waiting(self) -> bool:
        """Whether no request is in progress."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first

    def _await_headers(self) -> None:
        self._deadline = self.loop.time() + self._settings.header_seconds
        self._headers_timed = True

    def _tick(self) -> None:
        """Closes the connection where its deadline has passed; otherwise checks again later."""
        if self.loop.time() < self._deadline:
            self._timer = self.loop.call_later(min(TICK_SECONDS, self._settings.header_seconds / 4), self._tick)
        else:
            self.transport.close()
            self._limit_write_time()

    def _limit_write_time(self) -> None:
        """Aborts the connection where the client does not read in time what was written; a close would wait for it."""
        if self._write_timer is None and self.transport.get_write_buffer_size():
            self._write_timer = self.loop.call_later(self._settings.deadline_seconds, self.transport.abort)

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._write_timer = None

    def _refuse(self) -> None:
        """Refuses headers or trailers that are over a limit."""
        if self._has_too_many_fields():
            most, setting = f"{self._max_fields} headers", "MFN_MAX_HEADERS"
        else:
            most, setting = f"{self._max_bytes} bytes of headers", "MFN_MAX_HEADER_BYTES"
        self._answer(
            RequestError(HEADERS_TOO_LARGE, f"There are more than {most}, the most allowed ({setting}). Send fewer.")
        )

    def _answer(self, problem: RequestError) -> None:
        """Answers in place of the application, parses nothing more, and closes after LINGER_SECONDS.

        Sends nothing where the client would mistake it for the response to another request.
        """
        LOGGER.info("refused a connection: %s", problem.detail)
        self._done = True
        self._stop_timers()
        if not self._is_waiting():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self._in_headers or self.pipeline or self.cycle.response_started:
                self.transport.close()
                self._limit_write_time()
                return
        self._open_connections.set_idle(self)
        self.transport.write(_raw(problem_on(self.url.decode("latin-1"), problem, CLOSE)))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def _malformed(error: HttpParserError, tls: bool) -> RequestError:
    """The error of bytes that are not HTTP/1.1. tls: whether they are TLS."""
    reason = str(error)
    if tls:
        cure = "This port speaks plain HTTP, and TLS came: ask for http://, or set MFN_TLS_CERTIFICATE_FILE."
    elif isinstance(error, HttpParserCallbackError):  # in the only callback that may fail, of headers
        cure = "The target of the request is no path, as /retarget is. Correct its URL."
    elif reason == HTTP_2_PREFACE:
        cure = "This port speaks HTTP/1.1, and HTTP/2 came. Use HTTP/1.1 here; gRPC has a port of its own."
    else:
        cure = f"The request is no valid HTTP/1.1: {reason}. Correct the client that sends it."
    return RequestError(BAD_REQUEST, cure)


def _raw(answer: Response) -> bytes:
    """The bytes of an HTTP/1.1 response."""
    status = HTTPStatus(answer.status_code)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode(), *(b": ".join(pair) for pair in answer.raw_headers)]
    return b"\r\n".join(lines) + HEAD_END + bytes(answer.body)


def _probes_only(app: ASGIApp) -> Any:
    """The application of a connection over the limit: it answers probes, and refuses other requests."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].removesuffix("/") in PROBES:
            await app(scope, receive, send)
        else:
            await problem_on(scope["path"], _too_many_connections(), CLOSE)(scope, receive, send)

    return answer


def _too_many_connections() -> RequestError:
    return RequestError(UNAVAILABLE, "Too many connections are in work. Send the request again, a little later.", 1)
