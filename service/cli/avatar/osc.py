"""Open Sound Control 1.0: the part that faces need, messages of integers, floats and strings, and bundles.

Everything is big-endian, and its length a multiple of four bytes.
"""

import struct
from collections.abc import Iterable
from typing import Final

BUNDLE: Final = b"#bundle\0"
IMMEDIATELY: Final = struct.pack(">Q", 1)  # the time tag for effect on arrival

# Datagrams that exceed an Ethernet frame's 1500 bytes with their headers are fragmented, and lost more often.
DATAGRAM_BYTES: Final = 1400


def message(address: str, *arguments: int | float | str) -> bytes:
    """A message with int32, float32 and string arguments. Raises ValueError for text that is not ASCII."""
    tags, values = ",", b""
    for argument in arguments:
        if isinstance(argument, str):
            tags, values = tags + "s", values + _string(argument)
        elif isinstance(argument, int):
            tags, values = tags + "i", values + struct.pack(">i", argument)
        else:
            tags, values = tags + "f", values + struct.pack(">f", argument)
    return _string(address) + _string(tags) + values


def bundle(messages: Iterable[bytes]) -> bytes:
    """A bundle of messages that take effect together, on arrival."""
    return BUNDLE + IMMEDIATELY + b"".join(map(_element, messages))


def bundles(messages: Iterable[bytes], limit: int = DATAGRAM_BYTES) -> list[bytes]:
    """Packs messages, in their order, into as few bundles of at most `limit` bytes as possible.

    A message that is longer than that has its own bundle.
    """
    filled: list[list[bytes]] = []
    room = 0
    for each in messages:
        size = len(_element(each))
        if not filled or size > room:
            filled.append([])
            room = limit - len(bundle(()))
        filled[-1].append(each)
        room -= size
    return [bundle(group) for group in filled]


def _element(content: bytes) -> bytes:
    return struct.pack(">i", len(content)) + content


def _string(text: str) -> bytes:
    """A string in ASCII, terminated and padded with one to four zeros."""
    encoded = text.encode("ascii")
    return encoded + b"\0" * (4 - len(encoded) % 4)
