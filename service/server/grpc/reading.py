"""Reads the messages of calls, and decompresses them within a limit.

gRPC leaves that to us here: it would decompress many at once, and end a call whose message is too large without the
problem's name.
"""

import asyncio
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc

from service.errors import BAD_BODY, TOO_LARGE, RequestError

Context = grpc.aio.ServicerContext[Any, Any]
# How compressed messages begin. No message of ours does: the first would be a field of a type that there is not, the
# second, zlib's with the window of 32 KiB that gRPC uses, field 15.
GZIP_START: Final = b"\x1f\x8b\x08"
ZLIB_START: Final = 0x78
ZLIB_MODULUS: Final = 31  # of the first two bytes, RFC 1950 section 2.2
GZIP_OR_ZLIB: Final = zlib.MAX_WBITS + 32
PIECE_BYTES: Final = 2**18


class MessageReader:
    """Reads messages of at most `largest` bytes, counted after decompression, and decompresses one at a time."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="decompress")

    async def read(self, context: Context) -> bytes | None:
        """Reads a call's next message, None after its last.

        Raises RequestError: BAD_BODY where a compressed one is damaged, TOO_LARGE where it is too large.
        """
        message = await context.read()
        if message is grpc.aio.EOF:  # type: ignore[attr-defined]  # the stubs lack it
            return None
        if is_compressed(message):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, decompressed, message, self._largest)
        return message  # type: ignore[no-any-return]  # without a deserializer they are bytes


def is_compressed(message: bytes) -> bool:
    """Whether a message is compressed with gzip or deflate, gRPC's two ways."""
    if message[:1] == bytes([ZLIB_START]):
        return int.from_bytes(message[:2]) % ZLIB_MODULUS == 0
    return message.startswith(GZIP_START)


def decompressed(message: bytes, largest: int) -> bytes:
    """Decompresses a message, no further than `largest` bytes.

    Raises RequestError: BAD_BODY where it is damaged, TOO_LARGE where there is more.
    """
    inflater, pieces, size = zlib.decompressobj(GZIP_OR_ZLIB), list[bytes](), 0
    left = message
    try:
        while not inflater.eof and (piece := inflater.decompress(left, PIECE_BYTES)):
            left = inflater.unconsumed_tail
            size += len(piece)
            if size > largest:
                raise RequestError(
                    TOO_LARGE,
                    f"The message has more than {largest} bytes once it is decompressed, the most allowed. "
                    "Scale the picture down.",
                )
            pieces.append(piece)
    except zlib.error:
        pass
    if not inflater.eof:
        raise RequestError(BAD_BODY, "The message's compression is damaged or incomplete. Send it anew.")
    return b"".join(pieces)
