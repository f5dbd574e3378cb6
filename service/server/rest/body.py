"""Request bodies: read within limits, freed of their content codings, and the picture taken out of them."""

import re
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict
from starlette.requests import ClientDisconnect, Request

from service.errors import BAD_BODY, BAD_PICTURE, UNSUPPORTED_MEDIA, RequestError, too_many_bytes
from service.server.base64_text import decode_base64, encoded_size, is_data_url
from service.server.rest.content_encoding import decode_body, encoded_limit, parse_codings
from service.server.rest.json_body import parse_json
from service.server.rest.media_types import JSON, MULTIPART, UNTOLD, URLENCODED, is_image, parse_media_type
from service.server.rest.multipart import picture_of_form
from service.server.rest.uploads import Uploads
from service.settings import Settings
from service.vision.image import Picture, decode

ENVELOPE_BYTES: Final = 64 * 1024  # what a multipart or JSON body may hold besides the picture
DRAIN_BODIES: Final = 16  # multiple of the limit up to which a refused body is read and dropped
JSON_BEGIN: Final = re.compile(rb"\s{,64}\{")  # which no picture begins with
JSON_EXPECTED: Final = 'Expected {"image": "<the picture in base64>"} and nothing else.'


@dataclass(frozen=True)
class Body:
    """A whole body as it was sent.

    data: with its codings. kind, boundary: as of parse_media_type. limit: most bytes that it may have without its
    codings. max_bytes: of one picture.
    """

    data: bytes
    codings: tuple[str, ...]
    kind: str
    boundary: str
    limit: int
    max_bytes: int

    def content(self) -> bytes:
        """The body without its codings; call this in a worker's thread. Raises RequestError: TOO_LARGE, BAD_BODY."""
        return decode_body(self.data, self.codings, self.limit, self.max_bytes)


class BodyReader:
    """Reads bodies into memory, within the limits of each and of all that are held."""

    def __init__(self, settings: Settings, uploads: Uploads) -> None:
        self._max_bytes = settings.max_bytes
        self._uploads = uploads

    def _limit(self, kind: str) -> int:
        """The most bytes of a body; all but images may hold the picture in base64."""
        return self._max_bytes if is_image(kind) else encoded_size(self._max_bytes) + ENVELOPE_BYTES

    async def read(self, request: Request, kind: str | None = None) -> Body:
        """Reads a whole body. kind: its media type, where that is known whatever the header says.

        Raises RequestError: UNSUPPORTED_MEDIA, UNSUPPORTED_ENCODING, TOO_LARGE, OVERLOADED, REQUEST_TIMEOUT, or
        BAD_BODY where the client closes the connection.
        """
        headers = request.headers
        kind, boundary = (kind, "") if kind else parse_media_type(headers.get("content-type"))
        codings = parse_codings(headers.getlist("content-encoding"))
        limit = self._limit(kind)
        data = await self._receive(request, encoded_limit(limit) if codings else limit)
        body = Body(data, codings, kind, boundary, limit, self._max_bytes)
        self._uploads.held.keep(body, len(data))
        return body

    async def _receive(self, request: Request, limit: int) -> bytes:
        length = request.headers.get("content-length", "")
        announced = int(length) if length.isdecimal() else 0
        if announced > limit:
            raise too_many_bytes(self._max_bytes)
        chunks: list[bytes] = []
        try:
            async with self._uploads.receive(announced) as upload:
                async for chunk in request.stream():
                    upload.add(len(chunk))
                    if upload.size > limit:
                        raise too_many_bytes(self._max_bytes)
                    chunks.append(chunk)
        except ClientDisconnect as error:
            raise RequestError(BAD_BODY, "The connection was closed before the body was complete.") from error
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

    def __init__(self, body: Body, settings: Settings) -> None:
        self._body: Body | None = body
        self._kind = body.kind
        self._settings = settings
        self._picture = b""

    def load(self, side: int) -> Picture:
        """Decodes the picture; an ImageLoader. Raises RequestError where the body holds none that can be decoded."""
        if self._body is not None:
            content = self._body.content()
            self._kind = kind_of(content, self._kind)
            self._picture = picture_bytes(content, self._kind, self._body.boundary, self._settings.max_bytes)
            self._body = None
        try:
            return decode(self._picture, side, self._settings.max_megapixels)
        except RequestError as problem:
            if self._kind == URLENCODED and problem.kind is BAD_PICTURE:
                raise RequestError(
                    UNSUPPORTED_MEDIA,
                    f"The Content-Type is {URLENCODED}, and the bytes are no picture. curl -d drops line breaks: use "
                    "--data-binary @photo.jpg and -H 'Content-Type: image/jpeg', or -F image=@photo.jpg.",
                ) from problem
            raise


class ImageDocument(BaseModel):
    """The JSON body of POST /retarget: a picture in base64, or as a data URL."""

    model_config = ConfigDict(extra="forbid")
    image: bytes


def kind_of(content: bytes, kind: str) -> str:
    """The media type of a body: JSON where the header says little and the bytes do."""
    return JSON if kind in UNTOLD and JSON_BEGIN.match(content) else kind


def picture_bytes(content: bytes, kind: str, boundary: str, max_bytes: int) -> bytes:
    """Takes the picture's bytes out of a body of media type `kind`. Raises RequestError where it holds none."""
    if kind == MULTIPART:
        picture = picture_of_form(content, boundary)
    elif kind == JSON:
        picture = decode_base64(parse_json(ImageDocument, content, JSON_EXPECTED).image, 'The member "image"')
    elif is_data_url(content):
        picture = decode_base64(content, "The body")
    else:
        picture = content
    if len(picture) > max_bytes:
        raise too_many_bytes(max_bytes)
    return picture
