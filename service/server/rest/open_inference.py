"""Health and metadata paths of the open inference protocol (KServe's v2), which platforms use to manage model servers.

Health answers by its status, as /livez and /readyz do. The protocol's infer path is not served: it takes tensors, and
POST /retarget takes pictures.
"""

from typing import Any, Final

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service import errors
from service.errors import RequestError
from service.inference.manifest import Manifest
from service.server.rest.readiness import Readiness
from service.server.rest.responses import documented, json_response
from service.server.state import ServerState

SERVER_NAME: Final = "mfn"
PLATFORM: Final = "onnxruntime_onnx"  # <project>_<format>, as the protocol defines it
ANY_SIZE: Final = -1  # stands for a dimension of any size
PATHS: Final = ("/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/{model}", "/v2/models/{model}/ready")


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
    extensions: list[str] = Field(description="of the protocol: none")


class TensorMetadata(BaseModel):
    """An input or output of the model."""

    name: str
    datatype: str
    shape: list[int] = Field(description="-1: of any size")


class ModelMetadata(BaseModel):
    """The network that finds the faces, as onnxruntime runs it; POST /retarget takes pictures to it and back."""

    model_config = ConfigDict(protected_namespaces=())
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


def paths_of(manifest: Manifest) -> frozenset[str]:
    """The served paths, with the model's name."""
    return frozenset(path.format(model=manifest.name) for path in PATHS)


def metadata_of(manifest: Manifest) -> dict[str, Any]:
    """The response to GET /v2/models/<name>."""
    network = manifest.networks.mfn

    def tensor(name: str, datatype: str, shape: list[int | str | None]) -> dict[str, Any]:
        sizes = [size if isinstance(size, int) else ANY_SIZE for size in shape]
        return {"name": name, "datatype": datatype, "shape": sizes}

    return {
        "name": manifest.name,
        "versions": [manifest.version],
        "platform": PLATFORM,
        "inputs": [tensor(network.input.name, network.input.dtype.upper(), network.input.shape)],
        "outputs": [tensor(name, "FP32", shape) for name, shape in network.outputs.items()],
    }


def add_open_inference(app: FastAPI, state: ServerState, readiness: Readiness) -> None:
    """Adds the paths to the application. Metadata needs a key where /model does; health needs none."""
    manifest = state.pipeline.models.manifest

    def check_name(model: str) -> None:
        if model != manifest.name:
            raise RequestError(
                errors.NOT_FOUND,
                f"There is no model {model[:80]!r} here; the only one is {manifest.name!r}. "
                f"Ask for /v2/models/{manifest.name}.",
            )

    @app.get("/v2", response_model=ServerMetadata, responses=documented(errors.UNAUTHENTICATED))
    async def server_metadata(request: Request) -> Response:
        """Open inference protocol: name and version of the server."""
        state.keys.check(request.headers)
        return json_response({"name": SERVER_NAME, "version": manifest.version, "extensions": []})

    @app.get("/v2/health/live", response_model=ServerLive)
    async def server_live() -> Response:
        """Open inference protocol: 200 while the process answers at all, as /livez."""
        return json_response({"live": True})

    @app.get("/v2/health/ready", response_model=ServerReady, responses=documented(errors.UNAVAILABLE))
    async def server_ready() -> Response:
        """Open inference protocol: 200 while new pictures should be sent here, as /readyz."""
        readiness.check()
        return json_response({"ready": True})

    @app.get(
        "/v2/models/{model}",
        response_model=ModelMetadata,
        responses=documented(errors.UNAUTHENTICATED, errors.NOT_FOUND),
    )
    async def model_metadata(request: Request, model: str) -> Response:
        """Open inference protocol: versions, platform, inputs and outputs of the model."""
        state.keys.check(request.headers)
        check_name(model)
        return json_response(metadata_of(manifest))

    @app.get(
        "/v2/models/{model}/ready",
        response_model=ModelReady,
        responses=documented(errors.NOT_FOUND, errors.UNAVAILABLE),
    )
    async def model_ready(model: str) -> Response:
        """Open inference protocol: 200 while new pictures should be sent to this model, as /readyz."""
        check_name(model)
        readiness.check()
        return json_response({"name": manifest.name, "ready": True})
