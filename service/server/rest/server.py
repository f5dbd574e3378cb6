"""The HTTP server: uvicorn with our own limits; service.server.main handles the signals."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from service.server.rest.connections import Connections
from service.server.rest.protocol import HttpProtocol
from service.server.websocket.protocol import WebSocketProtocol
from service.settings import Settings

LOGGER: Final = logging.getLogger("mfn.rest")
# Of the shutdown. First requests are still read that were on their way on connections which are kept open; in the end
# clients have time to close what the server has closed. TLS and WebSocket wait for that. A WebSocket that has sent
# frames has more time: many clients do not read what has come once they fail to send.
LAST_REQUESTS_SECONDS: Final = 0.1
CLOSING_SECONDS: Final = 0.3  # without a byte from the client
SENDERS_CLOSING_SECONDS: Final = 1.5
MOST_CLOSING_SECONDS: Final = 3.0
LOOK_SECONDS: Final = 0.02  # from one look at what is open to the next
HANDSHAKE_SECONDS: Final = 3.0  # longest time of a TLS handshake, during which a connection is not counted


class HttpServer(uvicorn.Server):
    """Serves an application on bound sockets."""

    def __init__(self, app: ASGIApp, settings: Settings, context: ssl.SSLContext | None = None) -> None:
        """context: for TLS, None without it."""
        self._settings = settings
        self._open_connections = Connections(settings.max_connections)
        super().__init__(
            uvicorn.Config(
                app,
                http=HttpProtocol,
                ws="websockets-sansio",
                ws_per_message_deflate=False,  # pictures do not compress further, and decompression would take memory
                log_config=None,
                access_log=False,
                proxy_headers=False,  # service.server.proxies reads them
                lifespan="off",
                server_header=False,
                ssl_context_factory=(lambda *_: context) if context else None,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen as uvicorn does, with limited connections and a limited time of TLS handshakes."""
        settings, tls = self._settings, self.config.ssl
        self.servers = [
            await asyncio.get_running_loop().create_server(
                self._protocol,
                sock=listener,
                backlog=self.config.backlog,
                ssl=tls,
                ssl_handshake_timeout=min(settings.header_seconds, HANDSHAKE_SECONDS) if tls else None,
            )
            for listener in sockets or []
        ]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops to listen, closes idle connections, and lets requests and streams in work finish for drain_seconds.

        Those that are still in work then are cancelled, which they tell their clients. force_exit cuts the time short.
        """
        loop, state = asyncio.get_running_loop(), self.server_state
        end = loop.time() + self._settings.drain_seconds
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        await self._until(lambda: not state.connections, min(end, loop.time() + LAST_REQUESTS_SECONDS))
        for connection in list(state.connections):
            connection.shutdown()
        await self._until(lambda: not state.tasks, end)
        if state.tasks:
            LOGGER.warning("Stopped %d requests or streams in work", len(state.tasks))
            for task in state.tasks:
                task.cancel()
        await self._until(partial(self._all_silent, since=loop.time()), loop.time() + MOST_CLOSING_SECONDS)
        await self._until(lambda: not any(map(_has_unsent, state.connections)), end)
        for connection in list(state.connections):
            connection.transport.abort()
        await self._until(lambda: not state.tasks, loop.time() + CLOSING_SECONDS)

    async def _until(self, done: Callable[[], bool], end: float) -> None:
        """Waits until something is done, until a time of the loop, or until the server is to stop at once."""
        while not (done() or self.force_exit or asyncio.get_running_loop().time() >= end):
            await asyncio.sleep(LOOK_SECONDS)

    def _all_silent(self, since: float) -> bool:
        """Whether nothing has come over any connection for as long as it may close, from `since` at the earliest."""
        now = asyncio.get_running_loop().time()

        def is_silent(connection: asyncio.Protocol) -> bool:
            if not isinstance(connection, WebSocketProtocol):
                return now - since >= CLOSING_SECONDS
            seconds = SENDERS_CLOSING_SECONDS if connection.has_sent_frames else CLOSING_SECONDS
            return now - max(since, connection.received_at) >= seconds

        return all(map(is_silent, self.server_state.connections))

    def _protocol(self) -> HttpProtocol:
        return HttpProtocol(self.config, self.server_state, {}, self._settings, self._open_connections)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures no signals, unlike uvicorn's."""
        yield


def _has_unsent(connection: asyncio.Protocol) -> bool:
    """Whether a connection holds bytes that its client has not taken."""
    transport: asyncio.WriteTransport = connection.transport  # type: ignore[attr-defined]  # of uvicorn's protocols
    return transport.get_write_buffer_size() > 0
