"""Cross-origin requests (CORS): which web pages of other hosts may ask."""

import logging
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from service.server.origins import Origins, origin_refused
from service.server.rest.responses import problem_response
from service.server.telemetry.middleware import log_of
from service.server.telemetry.request_log import REQUEST_ID_HEADER

LOGGER: Final = logging.getLogger("mfn.rest")


class PageOrigins(CORSMiddleware):
    """ASGI middleware that answers preflights, and says in the log and the response why one is refused.

    A page sees of a refusal only that there was one; its developer sees the response in the browser's tools.
    """

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        super().__init__(
            app,
            allow_origins=origins.named,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            allow_private_network=True,  # also from pages of public servers to one in a private network
            expose_headers=["Server-Timing", REQUEST_ID_HEADER, "Retry-After"],
        )
        self._any_named = bool(origins.named)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles an ASGI connection."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin and "access-control-request-method" in headers and not self.is_allowed_origin(origin):
                problem = origin_refused(origin)
                fields = {"request_id": log_of(scope).request_id}
                LOGGER.warning("refused a page: %s", problem.detail, extra={"fields": fields})
                await problem_response(problem)(scope, receive, send)
                return
        if self._any_named:
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)
