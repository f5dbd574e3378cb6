"""HTTP/1.1 as uvicorn speaks it, within limits: of headers and trailers, of time, of requests that are under way.

Bytes go into the parser in pieces that end where a request's headers end, where its body ends, or where a limit is
reached. So no client makes the server hold more than `max_header_bytes` of a message's head, and the requests that it
sends before it has had its answers (pipelining) stay the bytes that they are.
"""

import asyncio
import logging
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from service.errors import HEADERS_TOO_LARGE, UNAVAILABLE, RequestError
from service.rest.answers import problem_answer
from service.rest.connections import Connections
from service.rest.websocket import WebSocketProtocol
from service.settings import Settings

LOGGER: Final = logging.getLogger("mfn.rest")
PROBES: Final = frozenset({"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"})
HEAD_END: Final = b"\r\n\r\n"
PIECE_BYTES: Final = 16 * 2**10  # of a body whose length is not announced
MAX_PIPELINED: Final = 16  # requests in one piece, which has more than one where lines end unusually
# An answer that is sent while the client still sends would be lost: closing a socket with unread bytes resets it.
LINGER_SECONDS: Final = 1.0
LINGER_BYTES: Final = 2**20


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
        self._allowance = settings.max_header_bytes  # bytes that may come before the headers end, or a byte of a body
        self._fields = 0  # headers and trailers of this message
        self._body_left = 0  # bytes of a body with a Content-Length
        self._held = b""  # requests that came before the one in work was answered
        self._timer: asyncio.TimerHandle | None = None  # for headers, while no request is in work
        self._answer_timer: asyncio.TimerHandle | None = None  # for the client to take what was written
        self._lingering = 0  # bytes that came after a refusal

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._open_connections.open(self):
            self._beyond = True
            self.app = _probes_only(self.app)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_connections.close(self)
        self._stop_timers()
        self._held = b""
        super().connection_lost(exc)

    def abort(self) -> None:
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._done:
            self._lingering += len(data)
            if self._lingering > LINGER_BYTES:
                self.transport.abort()
        elif self._held:  # bytes that were read before reading was paused
            self._held += data
            self.flow.pause_reading()
        else:
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        view = memoryview(data)
        position, size = 0, len(data)
        while position < size and not self._done and not self.transport.is_closing():
            if not self._is_waiting() and not self.cycle.more_body:
                self._held = data[position:]
                self.flow.pause_reading()
                return
            if self._in_headers:
                end = data.find(HEAD_END, position)
                end = min(size if end < 0 else end + len(HEAD_END), position + self._allowance)
            else:
                end = min(size, position + (self._body_left or PIECE_BYTES))
            self._allowance -= end - position
            super().data_received(view[position:end])  # type: ignore[arg-type]
            position = end
            if self._allowance <= 0 and not self._done:
                self._refuse()
        if self._timer is None and self.timeout_keep_alive_task is None and self._is_waiting() and not self._done:
            self._await_headers()

    def on_message_begin(self) -> None:
        if len(self.pipeline) == MAX_PIPELINED:
            raise ValueError("too many requests at once")
        super().on_message_begin()
        self._fields = 0
        self._body_left = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        if self._fields > self._settings.max_headers:
            raise ValueError("too many headers")
        if self._in_headers:  # else it is a trailer, of which nothing here makes use
            super().on_header(name, value)
            if name.lower() == b"content-length":
                self._body_left = int(value)

    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._allowance = self._settings.max_header_bytes
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._open_connections.work(self)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._allowance = self._settings.max_header_bytes
        self._body_left = max(0, self._body_left - len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_headers = True
        self._allowance = self._settings.max_header_bytes
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._open_connections.wait(self)
            self._await_taking()
        elif not self.pipeline:
            self._open_connections.wait(self)
            if self._held:
                data, self._held = self._held, b""
                self._parse(data)

    def handle_websocket_upgrade(self) -> None:
        if self._beyond:
            self._answer(_too_many_connections())
            return
        self._done = True
        self._stop_timers()
        self._open_connections.close(self)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        if self._fields > self._settings.max_headers:
            self._refuse()
        else:
            super().send_400_response(msg)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._answer_timer is not None:
            self._answer_timer.cancel()
            self._answer_timer = None

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._await_taking()

    def _is_waiting(self) -> bool:
        """Whether no request is in work."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first

    def _await_headers(self) -> None:
        self._timer = self.loop.call_later(self._settings.header_seconds, self.transport.abort)

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
        self._unset_keepalive_if_required()
        self._stop_timers()
        if not self._is_waiting():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self._in_headers or self.pipeline or self.cycle.response_started:
                self.transport.close()
                self._await_taking()
                return
        self._open_connections.wait(self)
        self.transport.write(_raw(problem_answer(problem, {"connection": "close"})))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def _raw(answer: Response) -> bytes:
    """An HTTP/1.1 answer as it is sent."""
    status = HTTPStatus(answer.status_code)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode(), *(b": ".join(pair) for pair in answer.raw_headers)]
    return b"\r\n".join(lines) + HEAD_END + bytes(answer.body)


def _probes_only(app: ASGIApp) -> Any:
    """The application for a connection beyond the limit: it says how the server is, and does nothing else."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in PROBES:
            await app(scope, receive, send)
        else:
            await problem_answer(_too_many_connections(), {"connection": "close"})(scope, receive, send)

    return answer


def _too_many_connections() -> RequestError:
    return RequestError(UNAVAILABLE, "Too many connections are in work. Send the request again, a little later.", 1)
