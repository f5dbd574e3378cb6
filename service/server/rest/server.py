"""The HTTP server: uvicorn with our own limits; service.server.main handles the signals."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from service.server.rest.connections import Connections
from service.server.rest.protocol import HttpProtocol
from service.settings import Settings

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
                proxy_headers=False,  # the client's address is not used
                lifespan="off",
                timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
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

    def _protocol(self) -> HttpProtocol:
        return HttpProtocol(self.config, self.server_state, {}, self._settings, self._open_connections)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures no signals, unlike uvicorn's."""
        yield
