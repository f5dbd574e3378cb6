"""POST /retarget: a picture in, every face out."""

from functools import partial
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from service import errors
from service.errors import RequestError
from service.inference.options import RetargetOptions
from service.server import schema
from service.server.core import RetargetService
from service.server.rest.body import BodyImage, BodyReader
from service.server.rest.body_options import parse_names
from service.server.rest.media_types import JSON, MULTIPART, OCTET_STREAM, PICTURE_TYPES
from service.server.rest.paths import Description, Paths
from service.server.rest.responses import documented, retarget_response
from service.server.state import ServerState
from service.server.telemetry.middleware import log_of
from service.settings import FACES_RANGE, SCORE_RANGE
from service.vision.tile_layout import MAX_TILES

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


def add_retarget(paths: Paths, state: ServerState, service: RetargetService, bodies: BodyReader) -> None:
    """Adds POST /retarget to the paths."""
    settings, models = state.settings, state.pipeline.models

    class Query(BaseModel):
        """The parameters, each once. RetargetOptions checks the ranges."""

        min_score: Annotated[float, _within(*SCORE_RANGE, "least score")] = settings.default_min_score
        max_faces: Annotated[int, _within(*FACES_RANGE, "most faces")] = settings.default_max_faces
        include: Annotated[
            str, Field(description="what to add to each face: landmarks, blendshapes, or both with a comma")
        ] = ""
        exclude: Annotated[str, Field(description="what to leave out of each face: identity")] = ""
        refine: Annotated[bool, Field(description="a second, closer look at each face; slower")] = False
        tiles: Annotated[
            int,
            _within(
                1,
                MAX_TILES,
                "looks at overlapping tiles of the picture, too, so that smaller faces are found: "
                "into how many its longer side is cut; 1 is the whole picture only; slower with each tile",
            ),
        ] = 1
        input_size: Annotated[
            int,
            Field(
                json_schema_extra={"enum": list(models.priors)},
                description="pixels along the longer side at which the network sees the picture: more of them show "
                "smaller faces, and take longer; large ones are looked for at the default size, too",
            ),
        ] = models.side

    problems = documented(
        errors.BAD_PICTURE, errors.TOO_LARGE, errors.UNSUPPORTED_MEDIA, errors.UNSUPPORTED_ENCODING,
        errors.BAD_PARAMETER, errors.OVERLOADED, errors.UNAUTHENTICATED, errors.REQUEST_TIMEOUT,
        errors.UNAVAILABLE, errors.NO_MEMORY, errors.DEADLINE_PASSED,
    )  # fmt: skip

    @paths.post("/retarget", Description(schema.RetargetAnswer, problems, REQUEST_BODY, Query))
    async def retarget(request: Request) -> Response:
        """Finds every face in a picture: box, pose, identity and expression."""
        try:
            query = Query.model_validate(dict(request.query_params))
        except ValidationError as error:
            raise _bad_parameter(error) from error
        state.keys.check(request.headers)
        included = parse_names("include", query.include, schema.INCLUDES)
        excluded = parse_names("exclude", query.exclude, schema.EXCLUDES)
        _refuse_unknown_parameters(request)
        state.refuse_when_draining()
        options = RetargetOptions(
            query.min_score, query.max_faces, query.refine, query.tiles, models.input_size(query.input_size)
        )
        state.workers.refuse_when_full()
        with service.request(log_of(request.scope)):
            image = BodyImage(await bodies.read(request), settings)
            encode = partial(retarget_response, models=models, included=included, excluded=excluded)
            return await service.retarget(image.load, options, encode)


def _within(low: float, high: float, description: str) -> Any:
    """A parameter from low to high in OpenAPI."""
    return Field(json_schema_extra={"minimum": low, "maximum": high}, description=description)


def _bad_parameter(error: ValidationError) -> RequestError:
    """The problem of parameters whose types are wrong: that of the first."""
    first = error.errors()[0]
    name = str(first["loc"][-1])
    sentence = f"The parameter {name} is {str(first['input'])[:80]!r}: {first['msg'][0].lower()}{first['msg'][1:]}."
    return RequestError(errors.BAD_PARAMETER, sentence)


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
