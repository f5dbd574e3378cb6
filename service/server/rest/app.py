"""The REST application: its paths, and what every request goes through on its way to them."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST as EXPOSITION
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from service import errors
from service.server import schema
from service.server.core import RetargetService
from service.server.rest import kserve_v1, open_inference
from service.server.rest.aliases import HeadAsGet, SlashAtTheEnd
from service.server.rest.body import BodyReader
from service.server.rest.cors import PageOrigins
from service.server.rest.docs import DOCS_PAGE
from service.server.rest.kserve_v1 import add_kserve_v1
from service.server.rest.model_paths import ModelPaths
from service.server.rest.open_inference import add_open_inference
from service.server.rest.paths import Description, Paths
from service.server.rest.readiness import ConnectionCloser, Readiness
from service.server.rest.refusals import Refusals, failure
from service.server.rest.responses import documented, json_response
from service.server.rest.retarget import add_retarget
from service.server.rest.studio import FOLDER, PAGE, add_studio
from service.server.rest.studio_files import StudioFile
from service.server.rest.uploads import Uploads
from service.server.state import ServerState
from service.server.telemetry.middleware import PATHS, TelemetryMiddleware
from service.server.websocket.endpoint import stream_route


class RestApp:
    """The REST application of a server, with the WebSocket streams beside it; an ASGI application."""

    def __init__(
        self, state: ServerState, readiness: Readiness | None = None, studio: Mapping[str, StudioFile] | None = None
    ) -> None:
        """readiness: by default it is ready until it drains. studio: the Studio's files, none unless given."""
        readiness = readiness or Readiness(state)
        bodies = BodyReader(state.settings, Uploads(state.settings, state.held, state.draining))
        folders = (FOLDER,) if studio else ()
        self.paths = Paths("MFN", "A photo in, every face out")
        self._add_paths(state, readiness, bodies, studio)
        app: ASGIApp = Router([*self.paths.routes, stream_route(state)], redirect_slashes=False)
        # From the last to the first that a request goes through.
        app = Refusals(app, bodies)
        app = HeadAsGet(app)
        app = PageOrigins(app, state.origins)
        app = ConnectionCloser(app, readiness)
        app = TelemetryMiddleware(
            app,
            state.telemetry,
            answer=failure,
            client_of=state.proxies.client_of,
            paths=PATHS | _model_paths(state) | ({PAGE} if studio else set()),
            folders=folders,
        )
        self._app = SlashAtTheEnd(app, folders)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles an ASGI connection."""
        await self._app(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        return self.paths.openapi

    def _add_paths(
        self, state: ServerState, readiness: Readiness, bodies: BodyReader, studio: Mapping[str, StudioFile] | None
    ) -> None:
        paths, service = self.paths, RetargetService(state)
        add_retarget(paths, state, service, bodies)

        @paths.get("/model", Description(schema.ModelAnswer, documented(errors.UNAUTHENTICATED)))
        async def model(request: Request) -> Response:
            """Name, version, files, coefficient names and measured accuracy of the models that answer here."""
            state.keys.check(request.headers)
            return json_response(schema.model_document(state.pipeline.models))

        @paths.get("/livez", Description(schema.Status, {}))
        async def livez(_: Request) -> Response:
            """200 while the process answers at all."""
            return json_response({"status": "alive"})

        @paths.get("/readyz", Description(schema.Status, documented(errors.UNAVAILABLE)))
        async def readyz(_: Request) -> Response:
            """200 while new pictures should be sent here; 503 once the server is to shut down."""
            readiness.check()
            return json_response({"status": "ready"})

        @paths.get("/metrics")
        async def metrics(_: Request) -> Response:
            return Response(state.metrics.exposition(), media_type=EXPOSITION)

        @paths.get("/docs")
        async def docs(_: Request) -> Response:
            return HTMLResponse(DOCS_PAGE)

        @paths.get("/openapi.json")
        async def openapi(_: Request) -> Response:
            return JSONResponse(self.openapi())

        model_paths = ModelPaths(state, readiness, service, bodies)
        add_kserve_v1(paths, model_paths)
        add_open_inference(paths, model_paths)
        if studio:
            add_studio(paths, studio)


def _model_paths(state: ServerState) -> frozenset[str]:
    """The paths of KServe's protocols."""
    manifest = state.pipeline.models.manifest
    return kserve_v1.paths_of(manifest) | open_inference.paths_of(manifest)
