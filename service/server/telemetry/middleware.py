"""Logs and measures every HTTP request, around the application: its id and trace, its duration and code."""

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import RequestError
from service.server.telemetry.request_log import REQUEST_ID_HEADER, RequestLog, Telemetry

# Paths are labels of metrics, so only those that exist are; whatever else is asked for is one. These need no model.
PATHS = frozenset({"/retarget", "/model", "/livez", "/readyz", "/metrics", "/docs", "/openapi.json"})
OTHER_PATH = "other"
HUNG_UP = "499"
LOG = "mfn.log"  # key of the scope
METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})


def log_of(scope: Scope) -> RequestLog:
    """The log of a request that has come through TelemetryMiddleware."""
    log: RequestLog = scope[LOG]
    return log


class TelemetryMiddleware:
    """ASGI middleware. A client that hangs up before the answer counts as 499, as with nginx.

    What the application raises is logged and answered as RequestLog.problem_of has it.
    """

    def __init__(
        self,
        app: ASGIApp,
        telemetry: Telemetry,
        answer: Callable[[RequestError], ASGIApp],
        paths: frozenset[str] = PATHS,
    ) -> None:
        """answer: a response with a problem. paths: all that are served."""
        self._app = app
        self._telemetry = telemetry
        self._answer = answer
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        path = scope["path"] if scope["path"] in self._paths else OTHER_PATH
        method = scope["method"] if scope["method"] in METHODS else OTHER_PATH
        log = RequestLog(
            self._telemetry, "http", f"{method} {path}", headers.get(REQUEST_ID_HEADER), headers.get("traceparent")
        )
        scope[LOG] = log
        code = HUNG_UP

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
            if code == HUNG_UP:  # nothing has been answered yet
                await self._answer(problem)(scope, receive, answer)
        finally:
            log.end(code)
