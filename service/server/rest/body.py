"""The picture in a request: read within bounds, then taken out of its raw, multipart or JSON body."""

import binascii
import json
from typing import Any, Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from service.errors import BAD_BODY, OVERLOADED, UNSUPPORTED_MEDIA, RequestError, too_many_bytes
from service.settings import Settings
from service.vision.image import Picture, decode

PICTURE_TYPES: Final = ("image/jpeg", "image/png", "image/webp")
PART_TYPES: Final = (*PICTURE_TYPES, "application/octet-stream", "")  # many clients give a part no type of its own
MULTIPART: Final = "multipart/form-data"
JSON: Final = "application/json"

ENVELOPE_BYTES: Final = 64 * 1024  # what a multipart or JSON body may hold besides the picture
MAX_PARTS: Final = 16
MAX_JSON_MARKS: Final = 64  # braces, brackets and commas; {"image": "..."} has two, a body full of them bloats memory
DRAIN_BODIES: Final = 16  # of a body that is refused, so many times the limit is read and dropped


def media_type(content_type: str | None) -> tuple[str, str]:
    """(type, boundary) of a Content-Type header. Raises RequestError where no picture can be in such a body."""
    kind, parameters = parse_options_header(content_type)
    name = kind.decode("latin-1").lower()
    if name not in (*PICTURE_TYPES, MULTIPART, JSON):
        given = f"is {name[:80]!r}" if name else "is missing"
        raise RequestError(
            UNSUPPORTED_MEDIA,
            f"The Content-Type {given}. Send the picture's bytes as {', '.join(PICTURE_TYPES)}; or {MULTIPART} with "
            f'the part "image"; or {JSON} with {{"image": "<base64>"}}.',
        )
    return name, parameters.get(b"boundary", b"").decode("latin-1")


class BodyReader:
    """Reads bodies into memory: each within its limit, and all that are under way within a limit of their own."""

    def __init__(self, max_bytes: int, bodies: int) -> None:
        """max_bytes: of one picture. bodies: how many of the largest may be held at once."""
        self._max_bytes = max_bytes
        self._budget = bodies * self._limit(JSON)

    def _limit(self, kind: str) -> int:
        if kind == JSON:
            return (self._max_bytes + 2) // 3 * 4 + ENVELOPE_BYTES
        return self._max_bytes + (ENVELOPE_BYTES if kind == MULTIPART else 0)

    async def read(self, request: Request, kind: str) -> bytes:
        """The whole body. Raises RequestError: TOO_LARGE, OVERLOADED, or BAD_BODY where the sender hangs up."""
        limit = self._limit(kind)
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            raise too_many_bytes(self._max_bytes)
        chunks: list[bytes] = []
        size = 0
        try:
            async for chunk in request.stream():
                size += len(chunk)
                self._budget -= len(chunk)
                if size > limit:
                    raise too_many_bytes(self._max_bytes)
                if self._budget < 0:
                    raise RequestError(OVERLOADED, "Too many uploads at once. Send it again, a little later.", 1)
                chunks.append(chunk)
        except ClientDisconnect as error:
            raise RequestError(BAD_BODY, "The connection was closed before the body was complete.") from error
        finally:
            self._budget += size
        return b"".join(chunks)

    async def drain(self, request: Request) -> None:
        """Reads and drops what is left of a refused body, within bounds, so that its sender comes to see the answer.

        A sender who asked first (Expect: 100-continue) has not sent anything and needs not.
        """
        if "expect" in request.headers:
            return
        left = DRAIN_BODIES * self._max_bytes
        try:
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return
        except (ClientDisconnect, RuntimeError):  # gone, or read to its end before
            return


class BodyImage:
    """The picture in a body, taken out of it when it is first decoded, in the thread that decodes it."""

    def __init__(self, body: bytes, kind: str, boundary: str, settings: Settings) -> None:
        """kind, boundary: as of media_type."""
        self._body, self._kind, self._boundary = body, kind, boundary
        self._settings = settings
        self._picture: bytes | None = None

    def load(self, side: int) -> Picture:
        """An ImageLoader. Raises RequestError where the body holds no picture that can be decoded."""
        if self._picture is None:
            self._picture = picture_bytes(self._body, self._kind, self._boundary, self._settings.max_bytes)
            self._body = b""
        return decode(self._picture, side, self._settings.max_megapixels)


def picture_bytes(body: bytes, kind: str, boundary: str, max_bytes: int) -> bytes:
    """The picture's bytes in a body of media type `kind`. Raises RequestError where it holds none."""
    if kind == MULTIPART:
        data = _from_multipart(body, boundary)
    elif kind == JSON:
        data = _from_json(body)
    else:
        data = body
    if len(data) > max_bytes:
        raise too_many_bytes(max_bytes)
    return data


def _from_json(body: bytes) -> bytes:
    expected = 'Expected {"image": "<the picture in base64>"} and nothing else.'
    if sum(body.count(mark) for mark in (b"{", b"[", b",")) > MAX_JSON_MARKS:
        raise RequestError(BAD_BODY, f"The JSON body holds more than a picture. {expected}")
    try:
        document = json.loads(body)
    except ValueError as error:  # of syntax or of encoding
        raise RequestError(BAD_BODY, f"The body is not valid JSON. {expected}") from error
    if not isinstance(document, dict) or document.keys() != {"image"} or not isinstance(document["image"], str):
        raise RequestError(BAD_BODY, f"The JSON body has another form. {expected}")
    text = document["image"]
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except ValueError as error:
        raise RequestError(
            BAD_BODY, 'The member "image" is not base64 (RFC 4648 section 4, with padding, without a "data:" prefix).'
        ) from error


class _Part:
    def __init__(self) -> None:
        self.headers: dict[str, bytes] = {}
        self.spans: list[bytes] = []

    @property
    def name(self) -> bytes:
        return parse_options_header(self.headers.get("content-disposition"))[1].get(b"name", b"")

    @property
    def media_type(self) -> str:
        return parse_options_header(self.headers.get("content-type"))[0].decode("latin-1").lower()


def _from_multipart(body: bytes, boundary: str) -> bytes:
    expected = 'Expected one part named "image" that holds the picture, e.g. curl -F image=@photo.jpg.'
    if not boundary:
        raise RequestError(BAD_BODY, f"The Content-Type {MULTIPART} has no boundary. {expected}")
    try:
        parts = _parts(body, boundary)
    except FormParserError as error:
        raise RequestError(BAD_BODY, f"The {MULTIPART} body is malformed: {error}. {expected}") from error
    pictures = [part for part in parts if part.name == b"image"]
    if len(pictures) != 1 or len(parts) != 1:
        names = ", ".join(part.name.decode("latin-1")[:40] for part in parts) or "none"
        raise RequestError(BAD_BODY, f"The parts of the body are: {names}. {expected}")
    if pictures[0].media_type not in PART_TYPES:
        raise RequestError(
            UNSUPPORTED_MEDIA,
            f'The part "image" is {pictures[0].media_type[:80]!r}; expected one of {", ".join(PICTURE_TYPES)}.',
        )
    return b"".join(pictures[0].spans)


def _parts(body: bytes, boundary: str) -> list[_Part]:
    """The parts of a multipart body. Raises FormParserError where it is malformed, cut short or has too many."""
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
