"""Answers of the open inference protocol's infer: tensors, in JSON or as binary data."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from starlette.responses import Response

from service.inference.models import Models
from service.server.core import Look
from service.server.rest.body import Body
from service.server.rest.infer_request import JSON_LENGTH_HEADER, RequestParameters, read_infer, requested_outputs
from service.server.rest.media_types import JSON, OCTET_STREAM
from service.server.rest.outputs import Seen, tensor_of
from service.server.rest.several_pictures import look_at
from service.settings import Settings


class OutputTensor(BaseModel):
    """An output. data: flat, in row-major order; in binary form it follows the JSON."""

    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, int] | None = None
    data: list[float | str | None] | None = None


class InferResponse(BaseModel):
    """A response of the protocol."""

    model_config = ConfigDict(protected_namespaces=())
    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]


def answer_infer(json_length: str | None, body: Body, settings: Settings, models: Models, look: Look) -> Response:
    """The response to an infer request; called in a worker's thread.

    json_length: the value of JSON_LENGTH_HEADER. Raises RequestError.
    """
    request, pictures = read_infer(body.content(), json_length)
    parameters = request.parameters or RequestParameters()
    requested = requested_outputs(request)
    included, excluded = parameters.included, parameters.excluded
    results = look_at(pictures, parameters.options(settings, models), settings, look)
    seen = [Seen(result, models, included, excluded) for result in results]
    outputs, behind = [], []
    for name, binary in requested.items():
        tensor = tensor_of(name, seen)
        if binary:
            behind.append(tensor.to_bytes())
            outputs.append(tensor.description | {"parameters": {"binary_data_size": len(behind[-1])}})
        else:
            outputs.append(tensor.description | {"data": tensor.to_list()})
    document: dict[str, Any] = {"model_name": models.manifest.name, "model_version": models.manifest.version}
    if request.id is not None:
        document["id"] = request.id
    head = to_json(document | {"outputs": outputs}, inf_nan_mode="null")
    if not behind:
        return Response(head, media_type=JSON)
    headers = {JSON_LENGTH_HEADER: str(len(head))}
    return Response(head + b"".join(behind), media_type=OCTET_STREAM, headers=headers)
