"""The HTTP server: uvicorn's, with limits of its own, and signals that are handled in service.server.main."""

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

HANDSHAKE_SECONDS: Final = 3.0  # longest time for that of TLS, during which a connection is not counted


class HttpServer(uvicorn.Server):
    """Serves an application on sockets that are bound."""

    def __init__(self, app: ASGIApp, settings: Settings, context: ssl.SSLContext | None = None) -> None:
        """context: for TLS, where it is spoken."""
        self._settings = settings
        self._open_connections = Connections(settings.max_connections)
        super().__init__(
            uvicorn.Config(
                app,
                http=HttpProtocol,
                ws="websockets-sansio",
                ws_per_message_deflate=False,  # pictures do not compress, and little text becomes much
                log_config=None,
                access_log=False,
                proxy_headers=False,  # nothing here asks who the client is
                lifespan="off",
                timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
                server_header=False,
                ssl_context_factory=(lambda *_: context) if context else None,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does, but that connections know their limits, and handshakes of TLS have one of time."""
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
        yield
