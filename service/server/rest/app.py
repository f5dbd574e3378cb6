"""The REST application: paths, parameters, and problems as RFC 9457 documents."""

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST as EXPOSITION
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service import __version__, errors
from service.errors import RequestError
from service.inference.options import RetargetOptions
from service.server import schema
from service.server.core import RetargetService
from service.server.rest import kserve_v1, open_inference
from service.server.rest.aliases import HeadAsGet, SlashAtTheEnd
from service.server.rest.body import BodyImage, BodyReader
from service.server.rest.body_options import parse_names
from service.server.rest.cors import PageOrigins
from service.server.rest.docs import DOCS_PAGE
from service.server.rest.kserve_v1 import add_kserve_v1
from service.server.rest.media_types import JSON, MULTIPART, OCTET_STREAM, PICTURE_TYPES
from service.server.rest.model_paths import ModelPaths
from service.server.rest.open_inference import add_open_inference
from service.server.rest.readiness import ConnectionCloser, Readiness
from service.server.rest.responses import (
    documented,
    error_response,
    json_response,
    problem_response,
    retarget_response,
)
from service.server.rest.studio import FOLDER, PAGE, add_studio
from service.server.rest.studio_files import StudioFile
from service.server.state import ServerState
from service.server.telemetry.middleware import PATHS, TelemetryMiddleware, log_of
from service.server.websocket.endpoint import PATH as STREAM_PATH
from service.server.websocket.endpoint import add_stream
from service.settings import FACES_RANGE, SCORE_RANGE
from service.vision.tile_layout import MAX_TILES

HELD_BODIES: Final = 32  # bodies of the largest size that may be received at once; bounds the memory of uploads
DRAIN_SECONDS: Final = 5.0  # longest time for the rest of a refused body
PARAMETERS: Final = ("min_score", "max_faces", "include", "exclude", "refine", "tiles", "input_size")

PICTURE_SCHEMA: Final = {"type": "string", "format": "binary"}
REQUEST_BODY: Final = {
    "requestBody": {
        "required": True,
        "description": "one picture: its bytes, or a form with the part `image`, or base64 in JSON",
        "content": {
            **{name: {"schema": PICTURE_SCHEMA} for name in (*PICTURE_TYPES, OCTET_STREAM)},
            MULTIPART: {"schema": {"type": "object", "required": ["image"], "properties": {"image": PICTURE_SCHEMA}}},
            JSON: {
                "schema": {
                    "type": "object",
                    "required": ["image"],
                    "additionalProperties": False,
                    "properties": {"image": {"type": "string", "contentEncoding": "base64"}},
                }
            },
        },
    }
}


def create_app(
    state: ServerState, readiness: Readiness | None = None, studio: Mapping[str, StudioFile] | None = None
) -> FastAPI:
    """Creates the REST application of a server.

    readiness: by default it is ready until it drains. studio: the Studio's files, none unless given.
    """
    settings, pipeline, service = state.settings, state.pipeline, RetargetService(state)
    manifest = pipeline.models.manifest
    readiness = readiness or Readiness(state)
    folders = (FOLDER,) if studio else ()
    app = FastAPI(
        title="MFN",
        summary="A photo in, every face out",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(HeadAsGet)
    app.add_middleware(PageOrigins, origins=state.origins)
    app.add_middleware(ConnectionCloser, readiness=readiness)
    app.add_middleware(
        TelemetryMiddleware,
        telemetry=state.telemetry,
        answer=_failure,
        client_of=state.proxies.client_of,
        paths=PATHS | kserve_v1.paths_of(manifest) | open_inference.paths_of(manifest) | ({PAGE} if studio else set()),
        folders=folders,
    )
    app.add_middleware(SlashAtTheEnd, folders=folders)
    bodies = BodyReader(settings, HELD_BODIES)
    _handle_errors(app, bodies)

    @app.post(
        "/retarget",
        response_model=schema.RetargetAnswer,
        responses=documented(
            errors.BAD_PICTURE, errors.TOO_LARGE, errors.UNSUPPORTED_MEDIA, errors.UNSUPPORTED_ENCODING,
            errors.BAD_PARAMETER, errors.OVERLOADED, errors.UNAUTHENTICATED, errors.REQUEST_TIMEOUT,
            errors.UNAVAILABLE, errors.NO_MEMORY,
            errors.DEADLINE_PASSED,
        ),
        openapi_extra=REQUEST_BODY,
    )  # fmt: skip
    async def retarget(
        request: Request,
        min_score: Annotated[float, _within(*SCORE_RANGE, "least score")] = settings.default_min_score,
        max_faces: Annotated[int, _within(*FACES_RANGE, "most faces")] = settings.default_max_faces,
        include: Annotated[
            str, Query(description="what to add to each face: landmarks, blendshapes, or both with a comma")
        ] = "",
        exclude: Annotated[str, Query(description="what to leave out of each face: identity")] = "",
        refine: Annotated[bool, Query(description="a second, closer look at each face; slower")] = False,
        tiles: Annotated[
            int,
            _within(
                1,
                MAX_TILES,
                "looks at overlapping tiles of the picture, too, so that smaller faces are found: "
                "into how many its longer side is cut; 1 is the whole picture only; slower with each tile",
            ),
        ] = 1,
        input_size: Annotated[
            int,
            Query(
                json_schema_extra={"enum": list(pipeline.models.priors)},
                description="pixels along the longer side at which the network sees the picture: more of them show "
                "smaller faces, and take longer; large ones are looked for at the default size, too",
            ),
        ] = pipeline.models.side,
    ) -> Response:
        """Finds every face in a picture: box, pose, identity and expression."""
        state.keys.check(request.headers)
        included = parse_names("include", include, schema.INCLUDES)
        excluded = parse_names("exclude", exclude, schema.EXCLUDES)
        _refuse_unknown_parameters(request)
        state.refuse_when_draining()
        options = RetargetOptions(min_score, max_faces, refine, tiles, pipeline.models.input_size(input_size))
        async with service.request(log_of(request.scope)):
            image = BodyImage(await bodies.read(request), settings)
            encode = partial(retarget_response, models=pipeline.models, included=included, excluded=excluded)
            return await service.retarget(image.load, options, encode)

    @app.get("/model", response_model=schema.ModelAnswer, responses=documented(errors.UNAUTHENTICATED))
    async def model(request: Request) -> Response:
        """Name, version, files, coefficient names and measured accuracy of the models that answer here."""
        state.keys.check(request.headers)
        return json_response(schema.model_document(pipeline.models))

    @app.get("/livez", response_model=schema.Status)
    async def livez() -> Response:
        """200 while the process answers at all."""
        return json_response({"status": "alive"})

    @app.get("/readyz", response_model=schema.Status, responses=documented(errors.UNAVAILABLE))
    async def readyz() -> Response:
        """200 while new pictures should be sent here; 503 once the server is to shut down."""
        readiness.check()
        return json_response({"status": "ready"})

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(state.metrics.exposition(), media_type=EXPOSITION)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(DOCS_PAGE)

    paths = ModelPaths(state, readiness, service, bodies)
    add_kserve_v1(app, paths)
    add_open_inference(app, paths)
    add_stream(app, state)
    if studio:
        add_studio(app, studio)
    return app


def _within(low: float, high: float, description: str) -> Any:
    """A query parameter from low to high in OpenAPI; RetargetOptions checks the range."""
    return Query(json_schema_extra={"minimum": low, "maximum": high}, description=description)


def _refuse_unknown_parameters(request: Request) -> None:
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in PARAMETERS:
            problem = f"There is no parameter {name[:80]!r}"
        elif given.count(name) > 1:
            problem = f"The parameter {name} is given more than once"
        else:
            continue
        raise RequestError(errors.BAD_PARAMETER, f"{problem}; /retarget takes each of {', '.join(PARAMETERS)} once.")


def _problem_on(path: str, problem: RequestError, headers: dict[str, str] | None = None) -> Response:
    """The response with a problem, in the form that clients of this path expect."""
    of_kserve = path.startswith((kserve_v1.PREFIX, open_inference.PREFIX))
    return (error_response if of_kserve else problem_response)(problem, headers)


def _failure(problem: RequestError) -> ASGIApp:
    """Answers any request with a problem."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await _problem_on(scope["path"], problem)(scope, receive, send)

    return answer


def _handle_errors(app: FastAPI, bodies: BodyReader) -> None:
    """Answers a bad request with a problem document, after its body has been drained.

    TelemetryMiddleware answers the server's own failures.
    """

    async def answer(request: Request, problem: RequestError, headers: dict[str, str] | None = None) -> Response:
        if problem.kind is not errors.REQUEST_TIMEOUT:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await bodies.drain(request)
        return _problem_on(request.url.path, problem, headers)

    @app.exception_handler(RequestError)
    async def on_problem(request: Request, error: RequestError) -> Response:
        return await answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def on_parameter(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = str(first["loc"][-1])
        sentence = f"The parameter {name} is {str(first['input'])[:80]!r}: {first['msg'][0].lower()}{first['msg'][1:]}."
        return await answer(request, RequestError(errors.BAD_PARAMETER, sentence))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        kind = {404: errors.NOT_FOUND, 405: errors.METHOD_NOT_ALLOWED}.get(error.status_code, errors.BAD_BODY)
        sentence = f"{request.method} {request.url.path[:80]} is not served here. GET /docs shows what is."
        if request.url.path == STREAM_PATH:
            sentence = (
                f"{STREAM_PATH} is served to a GET with `Upgrade: websocket`, which this request has not. "
                "A proxy on the way may have left it out."
            )
        headers = dict(error.headers or {})
        if headers.get("Allow") == "GET":
            headers["Allow"] = "GET, HEAD"
        return await answer(request, RequestError(kind, sentence), headers)
