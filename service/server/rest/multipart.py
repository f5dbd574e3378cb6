"""The picture in a multipart/form-data body (RFC 7578)."""

from typing import Any, Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from service.errors import BAD_BODY, UNSUPPORTED_MEDIA, RequestError
from service.server.base64_text import decode_base64, is_data_url
from service.server.rest.media_types import MULTIPART, may_be_picture

EXPECTED: Final = 'Expected one part named "image" that holds the picture, e.g. curl -F image=@photo.jpg.'
MAX_PARTS: Final = 16


class _Part:
    """A part of a multipart body: its headers, by lower-case names, and the spans of its data."""

    def __init__(self) -> None:
        self.headers: dict[str, bytes] = {}
        self.spans: list[bytes] = []

    def header(self, name: str) -> str:
        """Of a header its value without parameters, in lower case; "" where there is none."""
        return parse_options_header(self.headers.get(name))[0].decode("latin-1").lower()

    @property
    def name(self) -> bytes:
        return parse_options_header(self.headers.get("content-disposition"))[1].get(b"name", b"")


def picture_of_form(body: bytes, boundary: str) -> bytes:
    """The part "image" of a form: the picture's bytes, or a data URL, as pages send what a canvas gives them.

    Raises RequestError: BAD_BODY, or UNSUPPORTED_MEDIA where the part says that it is something else.
    """
    if not boundary:
        raise RequestError(BAD_BODY, f"The Content-Type {MULTIPART} has no boundary. {EXPECTED}")
    try:
        parts = _parts(body, boundary)
    except FormParserError as error:
        raise RequestError(BAD_BODY, f"The {MULTIPART} body is malformed: {error}. {EXPECTED}") from error
    pictures = [part for part in parts if part.name == b"image"]
    if len(pictures) != 1 or len(parts) != 1:
        names = ", ".join(part.name.decode("latin-1")[:40] for part in parts) or "none"
        raise RequestError(BAD_BODY, f"The parts of the body are: {names}. {EXPECTED}")
    (part,) = pictures
    if not may_be_picture(part.header("content-type")):
        raise RequestError(
            UNSUPPORTED_MEDIA,
            f'The Content-Type of the part "image" is {part.header("content-type")[:80]!r}. Send the picture\'s own, '
            "such as image/jpeg, or application/octet-stream, or none.",
        )
    data = b"".join(part.spans)
    if part.header("content-transfer-encoding") == "base64" or is_data_url(data):
        return decode_base64(data, 'The part "image"')
    return data


def _parts(body: bytes, boundary: str) -> list[_Part]:
    """Parses a multipart body. Raises FormParserError where it is malformed, truncated or has too many parts."""
    parts: list[_Part] = []
    field, value = bytearray(), bytearray()
    ended = False

    def part_begin() -> None:
        if len(parts) == MAX_PARTS:
            raise FormParserError(f"more than {MAX_PARTS} parts")
        parts.append(_Part())

    def header_end() -> None:
        parts[-1].headers[field.decode("latin-1").lower()] = bytes(value)
        field.clear()
        value.clear()

    def end() -> None:
        nonlocal ended
        ended = True

    callbacks: Any = {
        "on_part_begin": part_begin,
        "on_header_field": lambda data, start, stop: field.extend(data[start:stop]),
        "on_header_value": lambda data, start, stop: value.extend(data[start:stop]),
        "on_header_end": header_end,
        "on_part_data": lambda data, start, stop: parts[-1].spans.append(data[start:stop]),
        "on_end": end,
    }
    parser = MultipartParser(boundary, callbacks)
    parser.write(body)
    parser.finalize()
    if not ended:
        raise FormParserError("it ends before its closing boundary")
    return parts
