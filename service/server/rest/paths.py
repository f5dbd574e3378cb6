"""The paths of the REST application: served by Starlette alone, described by FastAPI."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from service import __version__

Endpoint = Callable[..., Awaitable[Response]]  # takes a request and the parameters of its path
REQUEST: Final = "mfn.request"  # the scope's key for the Request


def request_of(scope: Scope, receive: Receive) -> Request:
    """The request of a scope; always the same, since it knows whether its body has been read."""
    request: Request | None = scope.get(REQUEST)
    if request is None:
        request = scope[REQUEST] = Request(scope, receive)
    return request


class EndpointApp:
    """An endpoint as an ASGI application."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles an ASGI connection."""
        response = await self._endpoint(request_of(scope, receive), **scope["path_params"])
        await response(scope, receive, send)


@dataclass(frozen=True)
class Description:
    """What OpenAPI says of a path.

    answer: of status 200. problems: by their status, as of responses.documented. body: OpenAPI's requestBody. query:
    the parameters.
    """

    answer: type[BaseModel]
    problems: Mapping[int | str, dict[str, Any]]
    body: Mapping[str, Any] | None = None
    query: type[BaseModel] | None = None


@dataclass(frozen=True)
class _Described:
    path: str
    method: str
    endpoint: Endpoint
    description: Description


class Paths:
    """Paths that are served, and the OpenAPI document of those that are described.

    FastAPI only writes the document, once it is asked for. In serving, its layers would take half a millisecond of the
    event loop for every request.
    """

    def __init__(self, title: str, summary: str) -> None:
        self.routes: list[BaseRoute] = []
        self._title, self._summary = title, summary
        self._described: list[_Described] = []

    def get(self, path: str, description: Description | None = None) -> Callable[[Endpoint], Endpoint]:
        """Serves GET of a path with the decorated endpoint, which takes the request and the path's parameters."""
        return self._decorator(path, "GET", description)

    def post(self, path: str, description: Description | None = None) -> Callable[[Endpoint], Endpoint]:
        """The same for POST."""
        return self._decorator(path, "POST", description)

    def _decorator(self, path: str, method: str, description: Description | None) -> Callable[[Endpoint], Endpoint]:
        def add(endpoint: Endpoint) -> Endpoint:
            self.routes.append(Route(path, EndpointApp(endpoint), methods=[method]))
            if description is not None:
                self._described.append(_Described(path, method, endpoint, description))
            return endpoint

        return add

    @cached_property
    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        from fastapi import FastAPI, Query

        app = FastAPI(title=self._title, summary=self._summary, version=__version__)
        for described in self._described:
            description = described.description
            endpoint: Callable[..., Any] = described.endpoint
            if description.query is not None:

                def endpoint(query: Annotated[description.query, Query()]) -> None:  # type: ignore[name-defined]
                    ...

                endpoint.__name__, endpoint.__doc__ = described.endpoint.__name__, described.endpoint.__doc__
            app.add_api_route(
                described.path,
                endpoint,
                methods=[described.method],
                response_model=description.answer,
                responses=dict(description.problems),
                openapi_extra=None if description.body is None else dict(description.body),
            )
        return app.openapi()
