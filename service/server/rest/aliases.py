"""Requests that are served as others: paths with a slash at their end as those without, HEAD as GET."""

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send


class SlashAtTheEnd:
    """ASGI middleware that serves /path/ as /path.

    A redirect instead would name a scheme and a host, which a server behind a proxy cannot know, and many clients
    follow none with a body.
    """

    def __init__(self, app: ASGIApp, folders: Collection[str] = ()) -> None:
        """folders: paths whose slash belongs to them, since what they serve has links beside itself."""
        self._app = app
        self._folders = folders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles an ASGI connection."""
        path = scope.get("path", "")
        if path.endswith("/") and not path.endswith("//") and path != "/" and path not in self._folders:
            scope["path"] = path[:-1]
        await self._app(scope, receive, send)


class HeadAsGet:
    """ASGI middleware that serves HEAD as GET. The server that knows the request as HEAD leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles an ASGI connection."""
        if scope.get("method") == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
