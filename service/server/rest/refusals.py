"""ASGI middleware that answers a refused request with its problem document, after its body has been drained."""

import asyncio
import contextlib
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service import errors
from service.errors import RequestError
from service.server.rest import kserve_v1, open_inference
from service.server.rest.body import BodyReader
from service.server.rest.paths import request_of
from service.server.rest.responses import error_response, problem_response
from service.server.rest.uploads import LAST_BYTES_SECONDS
from service.server.websocket.endpoint import PATH as STREAM_PATH

DRAIN_SECONDS: Final = 5.0  # longest time for the rest of a refused body; at the shutdown LAST_BYTES_SECONDS


class Refusals:
    """Answers a RequestError of a path, and Starlette's HTTPException for a path or method that there is not.

    TelemetryMiddleware answers the server's own failures.
    """

    def __init__(self, app: ASGIApp, bodies: BodyReader) -> None:
        self._app = app
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles an ASGI connection; other types than http pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["app"] = self  # without one Starlette answers by itself what is not served
        try:
            await self._app(scope, receive, send)
        except (RequestError, HTTPException) as error:
            request = request_of(scope, receive)
            response = await self._response(request, error)
            error.__traceback__ = None  # its frames hold the picture
            await response(scope, receive, send)

    async def _response(self, request: Request, error: RequestError | HTTPException) -> Response:
        problem, headers = (error, None) if isinstance(error, RequestError) else _not_served(request, error)
        if problem.kind is not errors.REQUEST_TIMEOUT:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_BYTES_SECONDS if problem.kind is errors.UNAVAILABLE else DRAIN_SECONDS):
                    await self._bodies.drain(request)
        return problem_on(request.url.path, problem, headers)


def problem_on(path: str, problem: RequestError, headers: dict[str, str] | None = None) -> Response:
    """The response with a problem, in the form that clients of this path expect."""
    of_kserve = path.startswith((kserve_v1.PREFIX, open_inference.PREFIX))
    return (error_response if of_kserve else problem_response)(problem, headers)


def failure(problem: RequestError) -> ASGIApp:
    """Answers any request with a problem."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await problem_on(scope["path"], problem)(scope, receive, send)

    return answer


def _not_served(request: Request, error: HTTPException) -> tuple[RequestError, dict[str, str]]:
    """The problem, and its headers, of a path or a method that there is not."""
    kind = {404: errors.NOT_FOUND, 405: errors.METHOD_NOT_ALLOWED}.get(error.status_code, errors.BAD_BODY)
    sentence = f"{request.method} {request.url.path[:80]} is not served here. GET /docs shows what is."
    if request.url.path == STREAM_PATH:
        sentence = (
            f"{STREAM_PATH} is served to a GET with `Upgrade: websocket`, which this request has not. "
            "A proxy on the way may have left it out."
        )
    headers = dict(error.headers or {})
    if "GET" in headers.get("Allow", ""):
        headers["Allow"] = "GET, HEAD"
    return RequestError(kind, sentence), headers
