"""HTTP/1.1 as uvicorn speaks it, within limits: of headers and trailers, of time, of requests that are under way.

Bytes go into the parser in pieces that end where a request's headers end, where its body ends, or where a limit is
reached. So no client makes the server hold more than `max_header_bytes` of a message's head, and the requests that it
sends before it has had its answers (pipelining) stay the bytes that they are.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from httptools import HttpParserError, HttpParserUpgrade
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from service.errors import HEADERS_TOO_LARGE, UNAVAILABLE, RequestError
from service.server.rest.connections import Connections
from service.server.rest.responses import problem_response
from service.server.websocket.protocol import WebSocketProtocol
from service.settings import Settings

LOGGER: Final = logging.getLogger("mfn.rest")
PROBES: Final = frozenset({"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"})
HEAD_END: Final = b"\r\n\r\n"
TICK_SECONDS: Final = 1.0  # between two looks at a connection's time
PIECE_BYTES: Final = 16 * 2**10  # of a body whose length is not announced
MAX_PIPELINED: Final = 16  # requests parsed before their turn: one, where an empty line came in two parts
# An answer that is sent while the client still sends would be lost: closing a socket with unread bytes resets it.
LINGER_SECONDS: Final = 1.0
LINGER_BYTES: Final = 2**20


class Flow(FlowControl):
    """As uvicorn's, but that nothing is read while requests wait that have been read already.

    uvicorn resumes reading with each answer and whenever the application asks for more of a body.
    """

    def __init__(self, transport: asyncio.Transport, requests_wait: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._requests_wait = requests_wait

    def resume_reading(self) -> None:
        if not self._requests_wait():
            super().resume_reading()


class HttpProtocol(HttpToolsProtocol):
    """One connection.

    It is closed where headers do not come within `header_seconds`, counted from its opening and from the first byte of
    each later request, and where an answer is not taken within `deadline_seconds`.
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
        self._settings = settings
        self._open_connections = open_connections
        self._in_headers = True
        self._beyond = False  # the limit of connections
        self._done = False  # nothing more is parsed: it is refused, or another protocol's
        self._most_bytes = settings.max_header_bytes
        self._most_fields = settings.max_headers
        self._fields = 0  # headers and trailers of the message
        self._spent = 0  # bytes that came since the message began, its headers ended, or a byte of its body came
        self._body_left = 0  # bytes of a body with a Content-Length
        self._held = b""  # requests that came before the one in work was answered
        self._due = math.inf  # time of the loop at which it must have gone on, while no request is in work
        self._in_time = False  # whether that is the end of the time for headers
        self._timer: asyncio.TimerHandle | None = None
        self._answer_timer: asyncio.TimerHandle | None = None  # for the client to take what was written
        self._lingering = 0  # bytes that came after a refusal

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = Flow(transport, lambda: bool(self.pipeline or self._held))
        self._await_headers()
        self._tick()
        if not self._open_connections.open(self):
            self._beyond = True
            self.app = _probes_only(self.app)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_connections.close(self)
        self._stop_timers()
        self._held = b""
        super().connection_lost(exc)

    def abort(self) -> None:
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._done:
            self._linger(len(data))
            return
        if self._held:  # these were read before reading was paused
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
            self._spent += length
            try:
                self.parser.feed_data(data if length == size else memoryview(data)[position:end])
            except HttpParserUpgrade:
                if self._should_upgrade():
                    self.handle_websocket_upgrade()
            except HttpParserError:
                self._refuse_malformed()
            if self._done or self.transport.is_closing():  # type: ignore[redundant-expr]  # callbacks have set it
                return
            if self._spent and (self._spent >= self._most_bytes or self._has_too_many_fields()):
                self._refuse()
                return
            position = end
        if not self._in_time and self._is_waiting():
            self._await_headers()

    def _piece_end(self, data: bytes, position: int) -> int:
        """Where the piece ends that begins at `position`.

        An empty line ends headers and, with trailers or without, a body in chunks. In the data of a body it is rare.
        """
        size = len(data)
        if not self._in_headers and self._body_left:
            return min(size, position + self._body_left)
        most = min(size, position + (self._most_bytes - self._spent if self._in_headers else PIECE_BYTES))
        end = data.find(HEAD_END, position, most)
        return most if end < 0 else end + len(HEAD_END)

    def _linger(self, size: int) -> None:
        """Drops bytes that come after a refusal, within bounds."""
        self._lingering += size
        if self._lingering > LINGER_BYTES:
            self.transport.abort()

    def _refuse_malformed(self) -> None:
        if self._has_too_many_fields():
            self._refuse()
        else:
            LOGGER.info("refused a request that is not HTTP")
            self.send_400_response("Invalid HTTP request received.")

    def _has_too_many_fields(self) -> bool:
        return self._fields > self._most_fields

    def on_header(self, name: bytes, value: bytes) -> None:
        """Trailers are counted and dropped: they are no headers."""
        self._fields += 1
        if self._in_headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._has_too_many_fields() or len(self.pipeline) == MAX_PIPELINED:
            raise ValueError("too many headers, or requests")
        self._in_headers = False
        self._spent = 0
        self._body_left = next((int(value) for name, value in self.headers if name == b"content-length"), 0)
        self._due = math.inf
        self._in_time = False
        self._open_connections.work(self)
        super().on_headers_complete()
        if self._beyond and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._spent = 0
        self._body_left = max(0, self._body_left - len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_headers = True
        self._spent = self._fields = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """As uvicorn's, but that waiting for the next request takes no timer of its own, which would be made and
        cancelled with every request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._held = b""
            self.pipeline.clear()
            self._open_connections.wait(self)
            self._await_taking()
        elif self.pipeline or self._held:
            self._open_connections.take_turn(self._go_on)
        else:
            self._rest()

    def _go_on(self) -> None:
        """With the next request that waits."""
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
            self._open_connections.wait(self)

    def _rest(self) -> None:
        """Until the client sends more."""
        self._open_connections.wait(self)
        self._due = self.loop.time() + self.timeout_keep_alive
        self.flow.resume_reading()

    def handle_websocket_upgrade(self) -> None:
        if self._beyond:
            self._answer(_too_many_connections())
            return
        self._done = True
        self._stop_timers()
        self._open_connections.close(self)
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._answer_timer is not None:
            self._answer_timer.cancel()
            self._answer_timer = None

    def _is_waiting(self) -> bool:
        """Whether no request is in work."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first

    def _await_headers(self) -> None:
        self._due = self.loop.time() + self._settings.header_seconds
        self._in_time = True

    def _tick(self) -> None:
        """Looks now and then whether the connection is due."""
        if self.loop.time() < self._due:
            self._timer = self.loop.call_later(min(TICK_SECONDS, self._settings.header_seconds / 4), self._tick)
        else:
            self.transport.close()
            self._await_taking()

    def _await_taking(self) -> None:
        """Closing waits until all is sent, which a client that does not read could put off for ever."""
        if self._answer_timer is None and self.transport.get_write_buffer_size():
            self._answer_timer = self.loop.call_later(self._settings.deadline_seconds, self.transport.abort)

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._answer_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._answer_timer = None

    def _refuse(self) -> None:
        settings = self._settings
        self._answer(
            RequestError(
                HEADERS_TOO_LARGE,
                f"The headers have more than {settings.max_header_bytes} bytes or {settings.max_headers} lines, the "
                "most allowed. Send fewer or shorter ones.",
            )
        )

    def _answer(self, problem: RequestError) -> None:
        """Answers for the application, reads nothing more, and closes the connection once the client has had time to
        read. Says nothing where the client would take it for the answer to another request."""
        LOGGER.info("refused a connection: %s", problem.detail)
        self._done = True
        self._stop_timers()
        if not self._is_waiting():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self._in_headers or self.pipeline or self.cycle.response_started:
                self.transport.close()
                self._await_taking()
                return
        self._open_connections.wait(self)
        self.transport.write(_raw(problem_response(problem, {"connection": "close"})))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def _raw(answer: Response) -> bytes:
    """An HTTP/1.1 answer as it is sent."""
    status = HTTPStatus(answer.status_code)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode(), *(b": ".join(pair) for pair in answer.raw_headers)]
    return b"\r\n".join(lines) + HEAD_END + bytes(answer.body)


def _probes_only(app: ASGIApp) -> Any:
    """The application for a connection beyond the limit: its one answer says how the server is, or that it is busy."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in PROBES:
            await app(scope, receive, send)
        else:
            await problem_response(_too_many_connections(), {"connection": "close"})(scope, receive, send)

    return answer


def _too_many_connections() -> RequestError:
    return RequestError(UNAVAILABLE, "Too many connections are in work. Send the request again, a little later.", 1)
