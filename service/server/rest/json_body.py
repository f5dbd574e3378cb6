"""JSON bodies, read into pydantic models within bounds of memory."""

from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from service.errors import BAD_BODY, RequestError

Model = TypeVar("Model", bound=BaseModel)

# A number and a comma take two bytes in a body and 32 in the parser. pydantic nests up to 200 deep, so these are at
# most some 30 MB; a picture in base64 has none or one.
MAX_COMMAS: Final = 512


def parse_json(kind: type[Model], body: bytes, expected: str) -> Model:
    """A body as a model. expected: sentence that says what such a body looks like. Raises RequestError BAD_BODY."""
    if body.count(b",") > MAX_COMMAS:
        raise RequestError(BAD_BODY, f"The JSON body holds more than is needed. {expected}")
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise RequestError(BAD_BODY, f"The body is not valid JSON. {expected}") from error
        place = ".".join(map(str, first["loc"]))
        where = f" at {place[:80]}" if place else ""
        raise RequestError(BAD_BODY, f"The JSON body has another form{where}: {first['msg']}. {expected}") from error
