"""Whether new requests should be sent here, and how clients that keep a connection are told that they should not."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import UNAVAILABLE, RequestError
from service.server.state import ServerState


class Readiness:
    """Of one server. From `leave` on it is not ready, yet it serves whatever still comes until it drains: those who
    choose between servers take a while to look elsewhere."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self.leaving = False

    def leave(self) -> None:
        self.leaving = True

    def check(self) -> None:
        """Raises RequestError UNAVAILABLE unless the server is ready."""
        self._state.refuse_when_draining()
        if self.leaving:
            raise RequestError(
                UNAVAILABLE, "The server is about to shut down. Send new requests to another.", retry_after=1
            )


class LastAnswers:
    """ASGI middleware. Each answer of a server that leaves closes its connection (RFC 9112, section 9.6), so that its
    client opens the next one to another server; a request sent as the server closes the connection would be lost."""

    def __init__(self, app: ASGIApp, readiness: Readiness) -> None:
        self._app = app
        self._readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and self._readiness.leaving:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, answer)
