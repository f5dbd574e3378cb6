"""ASGI middleware that logs and measures every HTTP request: id, trace, duration and status."""

import asyncio
from collections.abc import Callable, Collection, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import RequestError
from service.server.draining import shutting_down
from service.server.proxies import FORWARDED_FOR
from service.server.telemetry.request_log import REQUEST_ID_HEADER, RequestLog, Telemetry

# Paths are labels of metrics, whose number must be bounded: all paths that do not exist share one label.
PATHS = frozenset({"/retarget", "/model", "/livez", "/readyz", "/metrics", "/docs", "/openapi.json"})
OTHER_PATH = "other"
CLIENT_CLOSED = "499"  # nginx's code for a client that closes the connection before the response
LOG = "mfn.log"  # the scope's key for the RequestLog
METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})


def log_of(scope: Scope) -> RequestLog:
    """The log of a request that has come through TelemetryMiddleware."""
    log: RequestLog = scope[LOG]
    return log


class TelemetryMiddleware:
    """ASGI middleware. A client that closes the connection before the response counts as 499, as in nginx.

    What the application raises is logged and answered with the problem of RequestLog.problem_of.
    """

    def __init__(
        self,
        app: ASGIApp,
        telemetry: Telemetry,
        answer: Callable[[RequestError], ASGIApp],
        client_of: Callable[[str, Sequence[str]], str],
        paths: frozenset[str] = PATHS,
        folders: Collection[str] = (),
    ) -> None:
        """answer: makes the response with a problem. client_of: returns the client's address, of that of the connection
        and the X-Forwarded-For headers. paths: all that are served, but for those below folders, which count as their
        folder."""
        self._app = app
        self._telemetry = telemetry
        self._answer = answer
        self._client_of = client_of
        self._paths = paths
        self._folders = folders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles an ASGI connection; other types than http pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        path = self._label(scope["path"])
        method = scope["method"] if scope["method"] in METHODS else OTHER_PATH
        client = self._client_of(scope["client"][0], headers.getlist(FORWARDED_FOR)) if scope.get("client") else ""
        log = RequestLog(
            self._telemetry,
            "http",
            f"{method} {path}",
            headers.get(REQUEST_ID_HEADER),
            headers.get("traceparent"),
            client,
        )
        scope[LOG] = log
        code = CLIENT_CLOSED

        async def answer(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = str(message["status"])
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = log.request_id
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            problem = log.problem_of(error)
            if code == CLIENT_CLOSED:  # nothing has been answered yet
                await self._answer(problem)(scope, receive, answer)
        except asyncio.CancelledError:  # the server shuts down, and the time to finish is over
            if code == CLIENT_CLOSED:
                await self._answer(shutting_down())(scope, receive, answer)
        finally:
            log.end(code)

    def _label(self, path: str) -> str:
        """The path as metrics and the log name it."""
        if path in self._paths:
            return path
        return next((folder for folder in self._folders if path.startswith(folder)), OTHER_PATH)
