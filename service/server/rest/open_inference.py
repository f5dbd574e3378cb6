"""Paths of the open inference protocol (KServe's v2), by which platforms manage model servers and Triton's clients ask.

Health answers by its status, as /livez and /readyz do. infer takes encoded pictures, and answers with faces.
"""

from functools import partial
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from service import errors
from service.inference.manifest import Manifest
from service.server import schema
from service.server.rest.infer import InferResponse, answer_infer
from service.server.rest.infer_request import INPUT, JSON_LENGTH_HEADER, InferRequest
from service.server.rest.media_types import JSON
from service.server.rest.model_paths import KINDS, ModelPaths
from service.server.rest.outputs import OUTPUTS
from service.server.rest.paths import Description, Paths
from service.server.rest.responses import documented_errors, json_response
from service.server.rest.tensors import BYTES

SERVER_NAME: Final = "mfn"
PLATFORM: Final = "onnxruntime_onnx"  # <project>_<format>, as the protocol defines it
EXTENSIONS: Final = ("binary_tensor_data",)
ANY_SIZE: Final = -1  # stands for a dimension of any size
PREFIX: Final = "/v2"
MODEL: Final = f"{PREFIX}/models/{{model}}"
VERSION: Final = f"{MODEL}/versions/{{version}}"
PATHS: Final = (
    PREFIX,
    f"{PREFIX}/health/live",
    f"{PREFIX}/health/ready",
    *(path + end for path in (MODEL, VERSION) for end in ("", "/ready", "/infer")),
)
INFER_BODY: Final = {
    "requestBody": {
        "required": True,
        "description": f"JSON; the pictures may follow it as binary data, with the header {JSON_LENGTH_HEADER.title()}",
        "content": {JSON: {"schema": schema.inlined(InferRequest)}},
    }
}


class ServerLive(BaseModel):
    """Answer to the liveness probe."""

    live: bool


class ServerReady(BaseModel):
    """Answer to the server's readiness probe."""

    ready: bool


class ModelReady(BaseModel):
    """Answer to the model's readiness probe."""

    name: str
    ready: bool


class ServerMetadata(BaseModel):
    """Name and version of the server."""

    name: str
    version: str
    extensions: list[str] = Field(description="of the protocol")


class TensorMetadata(BaseModel):
    """An input or output of the model."""

    name: str
    datatype: str
    shape: list[int] = Field(description="-1: of any size")


class ModelMetadata(BaseModel):
    """What infer takes and answers."""

    model_config = ConfigDict(protected_namespaces=())
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


def paths_of(manifest: Manifest) -> frozenset[str]:
    """The served paths, with the model's name and version."""
    return frozenset(path.format(model=manifest.name, version=manifest.version) for path in PATHS)


def metadata_of(manifest: Manifest) -> dict[str, Any]:
    """The response to GET /v2/models/<name>."""

    def tensor(name: str, datatype: str, row: tuple[int, ...] = ()) -> dict[str, Any]:
        return {"name": name, "datatype": datatype, "shape": [ANY_SIZE, *row]}

    return {
        "name": manifest.name,
        "versions": [manifest.version],
        "platform": PLATFORM,
        "inputs": [tensor(INPUT, BYTES)],
        "outputs": [tensor(name, output.datatype, output.row) for name, output in OUTPUTS.items()],
    }


def add_open_inference(paths: Paths, models: ModelPaths) -> None:
    """Adds the protocol's paths. Metadata needs a key where /model does; health needs none."""
    state, readiness, manifest = models.state, models.readiness, models.manifest

    @paths.get(PREFIX, Description(ServerMetadata, documented_errors(errors.UNAUTHENTICATED)))
    async def server_metadata(request: Request) -> Response:
        """Open inference protocol: name and version of the server."""
        state.keys.check(request.headers)
        return json_response({"name": SERVER_NAME, "version": manifest.version, "extensions": list(EXTENSIONS)})

    @paths.get(f"{PREFIX}/health/live", Description(ServerLive, {}))
    async def server_live(_: Request) -> Response:
        """Open inference protocol: 200 while the process answers at all, as /livez."""
        return json_response({"live": True})

    @paths.get(f"{PREFIX}/health/ready", Description(ServerReady, documented_errors(errors.UNAVAILABLE)))
    async def server_ready(_: Request) -> Response:
        """Open inference protocol: 200 while new pictures should be sent here, as /readyz."""
        readiness.check()
        return json_response({"ready": True})

    known = documented_errors(errors.UNAUTHENTICATED, errors.NOT_FOUND)

    @paths.get(MODEL, Description(ModelMetadata, known))
    async def model_metadata(request: Request, model: str) -> Response:
        """Open inference protocol: versions, platform, inputs and outputs of the model."""
        state.keys.check(request.headers)
        models.check_name(PREFIX, model)
        return json_response(metadata_of(manifest))

    @paths.get(VERSION, Description(ModelMetadata, known))
    async def version_metadata(request: Request, model: str, version: str) -> Response:
        """Open inference protocol: the same of a version."""
        state.keys.check(request.headers)
        models.check_version(PREFIX, model, version)
        return json_response(metadata_of(manifest))

    ready = documented_errors(errors.NOT_FOUND, errors.UNAVAILABLE)

    @paths.get(f"{MODEL}/ready", Description(ModelReady, ready))
    async def model_ready(_: Request, model: str) -> Response:
        """Open inference protocol: 200 while new pictures should be sent to this model, as /readyz."""
        models.check_name(PREFIX, model)
        readiness.check()
        return json_response({"name": manifest.name, "ready": True})

    @paths.get(f"{VERSION}/ready", Description(ModelReady, ready))
    async def version_ready(_: Request, model: str, version: str) -> Response:
        """Open inference protocol: the same of a version."""
        models.check_version(PREFIX, model, version)
        readiness.check()
        return json_response({"name": manifest.name, "ready": True})

    async def answer(request: Request) -> Response:
        return await models.answer(request, partial(answer_infer, request.headers.get(JSON_LENGTH_HEADER)))

    answers = documented_errors(*KINDS)

    @paths.post(f"{MODEL}/infer", Description(InferResponse, answers, INFER_BODY))
    async def infer(request: Request, model: str) -> Response:
        """Open inference protocol: finds every face in pictures."""
        models.check_name(PREFIX, model)
        return await answer(request)

    @paths.post(f"{VERSION}/infer", Description(InferResponse, answers, INFER_BODY))
    async def version_infer(request: Request, model: str, version: str) -> Response:
        """Open inference protocol: the same with a version of the model."""
        models.check_version(PREFIX, model, version)
        return await answer(request)
