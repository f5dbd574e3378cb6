"""Base64 as clients write it: in either alphabet, with or without padding and line breaks, alone or as a data URL."""

import binascii
from typing import Final

from service.errors import BAD_BODY, RequestError

# Characters decoded at a time: some 2 ms, after which other threads get their turn, and 1 MiB of memory.
PIECE: Final = 2**18
WHITE_SPACE: Final = b" \t\r\n\v\f"
STANDARD: Final = bytes.maketrans(b"-_", b"+/")  # from the alphabet of RFC 4648 section 5 to that of section 4
SCHEME: Final = b"data:"
DATA_URL_HEAD: Final = 256  # most bytes of "data:image/jpeg;base64," and the like


def encoded_size(size: int) -> int:
    """Number of characters of `size` bytes in base64, with padding."""
    return (size + 2) // 3 * 4


def is_data_url(text: bytes) -> bool:
    """Whether a text begins as a data URL does (RFC 2397)."""
    return text[:DATA_URL_HEAD].lstrip()[: len(SCHEME)].lower() == SCHEME


def decode_base64(text: bytes, name: str) -> bytes:
    """The bytes that a text holds: base64, or a data URL of any media type.

    name: of the text, as the subject of a sentence. The memory this takes is that of the bytes, twice. Raises
    RequestError BAD_BODY.
    """
    start = _payload(text, name) if is_data_url(text) else 0
    decoded: list[bytes] = []
    rest, padded = b"", False
    try:
        for position in range(start, len(text), PIECE):
            piece = text[position : position + PIECE].translate(STANDARD, WHITE_SPACE)
            data, padding, behind = piece.partition(b"=")
            if (padded and data) or behind.strip(b"="):
                raise ValueError("something follows the padding")
            padded = padded or bool(padding)
            data = rest + data
            whole = len(data) & ~3  # four characters are three bytes
            decoded.append(_decoded(data[:whole]))
            rest = data[whole:]
        decoded.append(_decoded(rest + b"=" * (-len(rest) % 4)))
    except ValueError as error:
        raise RequestError(
            BAD_BODY,
            f"{name} is not base64 (RFC 4648): it is cut off or has a character that does not belong. "
            "Encode the picture's bytes anew.",
        ) from error
    return b"".join(decoded)


def _decoded(text: bytes) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


def _payload(url: bytes, name: str) -> int:
    """Where the data of a data URL begins."""
    head, comma, _ = url[:DATA_URL_HEAD].partition(b",")
    if not comma or not head.rstrip().lower().endswith(b";base64"):
        raise RequestError(
            BAD_BODY,
            f'{name} is a data URL without base64; expected "data:image/jpeg;base64," and the picture after it.',
        )
    return len(head) + 1
