"""Requests of the open inference protocol's infer: the input "image" in JSON, or as binary data behind it."""

from collections.abc import Iterator
from math import prod
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from service.errors import BAD_BODY, BAD_PARAMETER, RequestError
from service.server.rest.body_options import BodyOptions
from service.server.rest.json_body import parse_json
from service.server.rest.outputs import OUTPUTS
from service.server.rest.several_pictures import MAX_PICTURES, decode_texts
from service.server.rest.tensors import BYTES, split_bytes

INPUT: Final = "image"
MAX_DIMENSIONS: Final = 8  # of a shape
JSON_LENGTH_HEADER: Final = "inference-header-content-length"  # bytes of the JSON, where binary data follow it
EXPECTED: Final = (
    'Expected {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": ["<the picture in base64>"]}]}, '
    f"or the picture as binary data with the header {JSON_LENGTH_HEADER.title()}."
)


class RequestParameters(BodyOptions):
    """The parameters of POST /retarget, and those of the protocol; of these the last two are ignored."""

    binary_data_output: bool = Field(
        default=False, description="whether outputs are binary data unless they say otherwise"
    )
    priority: int = 0
    timeout: int | None = Field(default=None, description="microseconds")


class InputParameters(BaseModel):
    """Parameters of an input."""

    model_config = ConfigDict(extra="forbid")
    binary_data_size: int | None = Field(default=None, description="bytes behind the JSON, where the data are binary")


class InputTensor(BaseModel):
    """The input: encoded pictures; in JSON each as base64."""

    name: str
    datatype: str
    shape: list[NonNegativeInt] = Field(max_length=MAX_DIMENSIONS)
    parameters: InputParameters | None = None
    data: list[bytes | list[bytes]] | None = None


class OutputParameters(BaseModel):
    """Parameters of a requested output."""

    model_config = ConfigDict(extra="forbid")
    binary_data: bool | None = None


class RequestedOutput(BaseModel):
    """An output that is wanted."""

    name: str
    parameters: OutputParameters | None = None


class InferRequest(BaseModel):
    """A request of the protocol."""

    id: str | None = None
    parameters: RequestParameters | None = None
    inputs: list[InputTensor]
    outputs: list[RequestedOutput] | None = Field(default=None, description="all of them unless given")


def read_infer(content: bytes, json_length: str | None) -> tuple[InferRequest, list[bytes]]:
    """A request and its encoded pictures, 1 to MAX_PICTURES.

    content: the body. json_length: the value of the header of this name. Raises RequestError BAD_BODY.
    """
    if json_length is None:
        request, behind = parse_json(InferRequest, content, EXPECTED), b""
    else:
        end = int(json_length) if json_length.isdecimal() and len(json_length) < 20 else -1
        if not 0 <= end <= len(content):
            raise RequestError(
                BAD_BODY,
                f"The header {JSON_LENGTH_HEADER.title()} is {json_length[:80]!r}, and the body has {len(content)} "
                f"bytes; expected the number of bytes of the JSON at its beginning. {EXPECTED}",
            )
        if end == 0:  # the extension's raw binary request: one input of one element, all outputs
            return InferRequest(inputs=[]), [content]
        request, behind = parse_json(InferRequest, content[:end], EXPECTED), content[end:]
    return request, _pictures(request.inputs, behind)


def requested_outputs(request: InferRequest) -> dict[str, bool]:
    """Names of the outputs to answer with, and whether each is to be binary data. Raises RequestError BAD_PARAMETER."""
    binary = request.parameters is not None and request.parameters.binary_data_output
    if not request.outputs:
        return dict.fromkeys(OUTPUTS, binary)
    wanted: dict[str, bool] = {}
    for output in request.outputs:
        if output.name not in OUTPUTS or output.name in wanted:
            problem = "is named twice" if output.name in wanted else "does not exist"
            raise RequestError(
                BAD_PARAMETER,
                f"The output {output.name[:80]!r} {problem}; there is each of {', '.join(OUTPUTS)} once.",
            )
        chosen = output.parameters.binary_data if output.parameters else None
        wanted[output.name] = binary if chosen is None else chosen
    return wanted


def _pictures(inputs: list[InputTensor], behind: bytes) -> list[bytes]:
    """The pictures in the only input. behind: the binary data."""
    if len(inputs) != 1 or inputs[0].name != INPUT or inputs[0].datatype != BYTES:
        given = ", ".join(f"{tensor.name[:40]!r} of {tensor.datatype[:40]}" for tensor in inputs[:5]) or "none"
        raise RequestError(BAD_BODY, f"The inputs are: {given}; expected one, {INPUT!r} of {BYTES}. {EXPECTED}")
    (tensor,) = inputs
    size = tensor.parameters.binary_data_size if tensor.parameters else None
    if (size or 0) != len(behind):
        raise RequestError(
            BAD_BODY, f"The input has {size or 0} bytes of binary data, and {len(behind)} follow the JSON. {EXPECTED}"
        )
    if (size is None) == (tensor.data is None):
        raise RequestError(BAD_BODY, f"The input has no data, or twice. {EXPECTED}")
    if tensor.data is None:
        pictures = split_bytes(behind, MAX_PICTURES)
    else:
        texts = list(_flat(tensor.data))
        pictures = decode_texts(texts[: MAX_PICTURES + 1], "An element of the input")
    if len(pictures) > MAX_PICTURES or not pictures:
        raise RequestError(BAD_BODY, f"A request has 1 to {MAX_PICTURES} pictures. Send more in several requests.")
    if prod(tensor.shape) != len(pictures):
        raise RequestError(
            BAD_BODY, f"The input has {len(pictures)} elements, but another shape; expected [{len(pictures)}]."
        )
    return pictures


def _flat(data: list[bytes | list[bytes]]) -> Iterator[bytes]:
    for entry in data:
        if isinstance(entry, bytes):
            yield entry
        else:
            yield from entry
