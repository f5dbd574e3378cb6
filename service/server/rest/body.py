"""The picture in a request's body: read within limits, then extracted from a raw, multipart or JSON body."""

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
MAX_JSON_MARKS: Final = 64  # braces, brackets and commas; {"image": "..."} has two, and parsing many takes much memory
DRAIN_BODIES: Final = 16  # multiple of the limit up to which a refused body is read and dropped


def media_type(content_type: str | None) -> tuple[str, str]:
    """Media type and multipart boundary of a Content-Type header.

    Raises RequestError UNSUPPORTED_MEDIA where such a body cannot hold a picture.
    """
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
    """Reads bodies into memory, with a limit for each and one for all that are being received."""

    def __init__(self, max_bytes: int, bodies: int) -> None:
        """max_bytes: of one picture. bodies: number of the largest bodies that may be received at once."""
        self._max_bytes = max_bytes
        self._budget = bodies * self._limit(JSON)

    def _limit(self, kind: str) -> int:
        if kind == JSON:
            return (self._max_bytes + 2) // 3 * 4 + ENVELOPE_BYTES
        return self._max_bytes + (ENVELOPE_BYTES if kind == MULTIPART else 0)

    async def read(self, request: Request, kind: str) -> bytes:
        """Reads a whole body of media type `kind`.

        Raises RequestError: TOO_LARGE, OVERLOADED, or BAD_BODY where the client closes the connection.
        """
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
        """Reads and drops the rest of a refused body, within limits, so that its client gets to read the response.

        A client that asked first (Expect: 100-continue) sends nothing, so there is nothing to read.
        """
        if "expect" in request.headers:
            return
        left = DRAIN_BODIES * self._max_bytes
        try:
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return
        except (ClientDisconnect, RuntimeError):  # the client is gone, or the body has been read already
            return


class BodyImage:
    """The picture in a body, extracted when it is first decoded, in the thread that decodes it."""

    def __init__(self, body: bytes, kind: str, boundary: str, settings: Settings) -> None:
        """kind, boundary: as returned by media_type."""
        self._body, self._kind, self._boundary = body, kind, boundary
        self._settings = settings
        self._picture: bytes | None = None

    def load(self, side: int) -> Picture:
        """Decodes the picture; an ImageLoader. Raises RequestError where the body holds none that can be decoded."""
        if self._picture is None:
            self._picture = picture_bytes(self._body, self._kind, self._boundary, self._settings.max_bytes)
            self._body = b""
        return decode(self._picture, side, self._settings.max_megapixels)


def picture_bytes(body: bytes, kind: str, boundary: str, max_bytes: int) -> bytes:
    """Extracts the picture's bytes from a body of media type `kind`. Raises RequestError where it holds none."""
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
    """A part of a multipart body: its headers, by lower-case names, and the spans of its data."""

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
