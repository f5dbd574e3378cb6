"""Paths of KServe's v1 protocol."""

from typing import Final

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service import errors
from service.inference.manifest import Manifest
from service.server import schema
from service.server.rest.media_types import JSON
from service.server.rest.model_paths import KINDS, ModelPaths
from service.server.rest.open_inference import ModelReady
from service.server.rest.paths import Description, Paths
from service.server.rest.predict import PredictRequest, PredictResponse, answer_predict
from service.server.rest.responses import documented_errors, json_response

PREFIX: Final = "/v1"
MODEL: Final = f"{PREFIX}/models/{{model}}"
PATHS: Final = (f"{PREFIX}/models", MODEL, f"{MODEL}:predict")
PREDICT_BODY: Final = {"requestBody": {"required": True, "content": {JSON: {"schema": schema.inlined(PredictRequest)}}}}


class ModelList(BaseModel):
    """Names of the models."""

    models: list[str]


def paths_of(manifest: Manifest) -> frozenset[str]:
    """The served paths, with the model's name."""
    return frozenset(path.format(model=manifest.name) for path in PATHS)


def add_kserve_v1(paths: Paths, models: ModelPaths) -> None:
    """Adds the protocol's paths. predict needs a key where POST /retarget does; the others need none."""
    manifest = models.manifest

    @paths.get(f"{PREFIX}/models", Description(ModelList, {}))
    async def model_list(_: Request) -> Response:
        """KServe's v1 protocol: the models."""
        return json_response({"models": [manifest.name]})

    @paths.post(f"{MODEL}:predict", Description(PredictResponse, documented_errors(*KINDS), PREDICT_BODY))
    async def predict(request: Request, model: str) -> Response:
        """KServe's v1 protocol: finds every face in pictures."""
        models.check_name(PREFIX, model)
        return await models.answer(request, answer_predict)

    @paths.get(f"{MODEL}:predict")
    async def predict_by_get(_: Request, model: str) -> Response:
        # Otherwise it would be the status of a model of this name, "mfn:predict".
        models.check_name(PREFIX, model)
        raise HTTPException(405, headers={"Allow": "POST"})

    @paths.get(MODEL, Description(ModelReady, documented_errors(errors.NOT_FOUND, errors.UNAVAILABLE)))
    async def model_status(_: Request, model: str) -> Response:
        """KServe's v1 protocol: 200 while new pictures should be sent to this model, as /readyz."""
        models.check_name(PREFIX, model)
        models.readiness.check()
        return json_response({"name": manifest.name, "ready": True})
