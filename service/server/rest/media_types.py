"""Media types of request bodies. They are hints: whatever may be a picture is one if its bytes say so."""

from typing import Final

from python_multipart.multipart import parse_options_header

from service.errors import UNSUPPORTED_MEDIA, RequestError

PICTURE_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "image/avif")  # as they are documented
MULTIPART: Final = "multipart/form-data"
JSON: Final = "application/json"
OCTET_STREAM: Final = "application/octet-stream"
URLENCODED: Final = "application/x-www-form-urlencoded"
# Types that clients send of themselves, and that so say nothing of the bytes: none at all, those of any file, that of
# curl -d and of many HTTP libraries, and that of a text in a page.
UNTOLD: Final = frozenset({"", OCTET_STREAM, "binary/octet-stream", URLENCODED, "text/plain"})


def is_image(name: str) -> bool:
    """Whether a media type is that of an image, be it one that can be decoded or not."""
    return name.startswith("image/")


def may_be_picture(name: str) -> bool:
    """Whether bytes of this media type may be a picture."""
    return is_image(name) or name in UNTOLD


def parse_media_type(content_type: str | None) -> tuple[str, str]:
    """Media type, in lower case, and multipart boundary of a Content-Type header; "" where there is none.

    Raises RequestError UNSUPPORTED_MEDIA where such a body cannot hold a picture.
    """
    kind, parameters = parse_options_header(content_type)
    name = kind.decode("latin-1").lower()
    if not may_be_picture(name) and name not in (MULTIPART, JSON):
        raise RequestError(
            UNSUPPORTED_MEDIA,
            f"The Content-Type is {name[:80]!r}. Send the picture's bytes as {', '.join(PICTURE_TYPES)}; or "
            f'{MULTIPART} with the part "image"; or {JSON} with {{"image": "<base64>"}}.',
        )
    return name, parameters.get(b"boundary", b"").decode("latin-1")
