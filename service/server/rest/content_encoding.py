"""Content codings of request bodies (RFC 9110 section 8.4): gzip and deflate, within limits of time and memory."""

import zlib
from collections.abc import Iterable
from typing import Final

from service.errors import BAD_BODY, UNSUPPORTED_ENCODING, RequestError, too_many_bytes

SUPPORTED: Final = ("gzip", "deflate")
ALIASES: Final = {"x-gzip": "gzip"}  # RFC 9110 section 8.4.1.3
MAX_CODINGS: Final = 3  # one on another; each may take as long as the largest body
# zlib's wbits: the format and its greatest window, which holds any stream.
GZIP, ZLIB, RAW_DEFLATE = 31, 15, -15


def parse_codings(headers: Iterable[str]) -> tuple[str, ...]:
    """The codings of Content-Encoding headers, in the order in which they were applied.

    Raises RequestError UNSUPPORTED_ENCODING.
    """
    names = [name.strip().lower() for header in headers for name in header.split(",")]
    codings = tuple(ALIASES.get(name, name) for name in names if name not in ("", "identity"))
    if unknown := [name for name in codings if name not in SUPPORTED]:
        raise RequestError(
            UNSUPPORTED_ENCODING,
            f"The Content-Encoding is {unknown[0][:80]!r}; {' and '.join(SUPPORTED)} are supported. Send the body in "
            "one of these, or as it is, without the header: a picture is compressed already.",
        )
    if len(codings) > MAX_CODINGS:
        raise RequestError(
            UNSUPPORTED_ENCODING, f"The body has {len(codings)} content codings; at most {MAX_CODINGS} are supported."
        )
    return codings


def encoded_limit(limit: int) -> int:
    """The most bytes of an encoded body that may hold `limit` bytes: what cannot be compressed becomes longer.

    zlib adds five bytes to each 16 KiB at most, and some 20 once; twice as many are let.
    """
    return limit + MAX_CODINGS * (limit // 1024 + 64)


def decode_body(body: bytes, codings: tuple[str, ...], limit: int, max_bytes: int) -> bytes:
    """A body without its codings. It is never longer than `limit` bytes, and what comes on the way hardly longer.

    max_bytes: of its picture, for the message. Raises RequestError: TOO_LARGE where it would be longer, BAD_BODY where
    it is not what the header says.
    """
    for left, coding in reversed(list(enumerate(codings))):
        most = encoded_limit(limit) if left else limit
        inflater = zlib.decompressobj(_format(body, coding))
        try:
            inflated = inflater.decompress(body, most + 1)
        except zlib.error as error:
            raise RequestError(
                BAD_BODY,
                f"The Content-Encoding is {coding}, but the body is not, or is damaged. "
                "Send it as the header says, or without the header.",
            ) from error
        if len(inflated) > most:
            raise too_many_bytes(max_bytes)
        if not inflater.eof:
            raise RequestError(BAD_BODY, f"The body ends before its {coding} data do. Send all of it.")
        if inflater.unused_data:
            raise RequestError(BAD_BODY, f"The body goes on after the end of its {coding} data. Send one stream alone.")
        body = inflated
    return body


def _format(body: bytes, coding: str) -> int:
    """wbits of a coding. Deflate means zlib's format, but some clients send the data without its header."""
    if coding == "gzip":
        return GZIP
    has_header = len(body) >= 2 and body[0] & 15 == zlib.DEFLATED and int.from_bytes(body[:2]) % 31 == 0
    return ZLIB if has_header else RAW_DEFLATE
