"""Readiness: whether new requests should be sent to this server, and closing connections once they should not."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import UNAVAILABLE, RequestError
from service.server.state import ServerState


class Readiness:
    """The readiness of one server.

    After set_not_ready it still serves all requests until it drains, since load balancers take a while to notice.
    """

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self.ready = True

    def set_not_ready(self) -> None:
        """Makes the server not ready, for good."""
        self.ready = False

    def check(self) -> None:
        """Raises RequestError UNAVAILABLE unless the server is ready."""
        self._state.refuse_when_draining()
        if not self.ready:
            raise RequestError(
                UNAVAILABLE, "The server is about to shut down. Send new requests to another.", retry_after=1
            )


class ConnectionCloser:
    """ASGI middleware that closes connections with their next response once the server is not ready.

    `Connection: close` (RFC 9112, section 9.6) makes the client open its next connection to another server. A request
    that a client sends just when the server closes the connection would be lost.
    """

    def __init__(self, app: ASGIApp, readiness: Readiness) -> None:
        self._app = app
        self._readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles an ASGI connection; other types than http pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and not self._readiness.ready:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, answer)
