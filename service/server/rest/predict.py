"""KServe's v1 protocol, which Vertex AI speaks, too: instances in, the documents of POST /retarget out."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from service.inference.models import Models
from service.server import schema
from service.server.core import Look
from service.server.rest.body import Body
from service.server.rest.body_options import BodyOptions
from service.server.rest.json_body import parse_json
from service.server.rest.responses import json_response
from service.server.rest.several_pictures import MAX_PICTURES, decode_texts, look_at
from service.settings import Settings

EXPECTED: Final = 'Expected {"instances": [{"image": {"b64": "<the picture in base64>"}}]}.'


class Base64(BaseModel):
    """Bytes, as TensorFlow Serving and KServe write them."""

    model_config = ConfigDict(extra="forbid")
    b64: bytes


class Instance(BaseModel):
    """A picture."""

    model_config = ConfigDict(extra="forbid")
    image: Base64 | bytes


class PredictRequest(BaseModel):
    """Pictures, and the parameters of POST /retarget for all of them."""

    model_config = ConfigDict(extra="forbid")
    instances: list[Instance | Base64] = Field(min_length=1, max_length=MAX_PICTURES)
    parameters: BodyOptions | None = None


class PredictResponse(BaseModel):
    """An answer of POST /retarget for each picture."""

    predictions: list[schema.RetargetAnswer]


def answer_predict(body: Body, settings: Settings, models: Models, look: Look) -> Response:
    """The response to a predict request; called in a worker's thread. Raises RequestError."""
    request = parse_json(PredictRequest, body.content(), EXPECTED)
    parameters = request.parameters or BodyOptions()
    included, excluded = parameters.included, parameters.excluded
    pictures = decode_texts([_text(instance) for instance in request.instances], "An instance")
    results = look_at(pictures, parameters.options(settings, models), settings, look)
    documents = [schema.retarget_document(result, models, included, excluded) for result in results]
    return json_response({"predictions": documents})


def _text(instance: Instance | Base64) -> bytes:
    """The base64 of a picture."""
    image = instance.image if isinstance(instance, Instance) else instance
    return image.b64 if isinstance(image, Base64) else image
