"""Strips metadata from a JPEG, PNG or WebP file before it is decoded, so that it cannot break or change the decoding.

Metadata is untrusted input: Pillow refuses a picture for a bad profile or a broken date, and stores a PNG's texts under
names of the client's choice among its own properties of the picture.
"""

import re
import struct
import zlib
from io import BytesIO
from typing import Final

PNG_START: Final = b"\x89PNG\r\n\x1a\n"
PNG_ANCILLARY: Final = 0x20  # this bit of the first letter of a chunk's name marks it as not needed to show the picture
JPEG_START: Final = b"\xff\xd8"
JPEG_MARKER: Final = re.compile(rb"\xff+[\xc0-\xcf\xda-\xfe]")  # of a segment that has a length
START_OF_SCAN: Final = 0xDA
WEBP_METADATA: Final = (b"ICCP", b"EXIF", b"XMP ")
EXIF_START: Final = b"Exif\x00\x00"


def without_metadata(data: bytes) -> tuple[bytes, bytes]:
    """Returns the file without its metadata, and its EXIF block, b"" where it has none. Neither is checked.

    Data that is no JPEG, PNG or WebP file is returned unchanged, and so is everything after the place where a file is
    broken. The file is not copied where there is nothing to strip.
    """
    if data.startswith(PNG_START):
        return _png(data)
    if data.startswith(JPEG_START):
        return _jpeg(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    return data, b""


class _Copy:
    """A copy of data without the parts that are cut, which come in ascending order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._view = memoryview(data)
        self._kept = BytesIO()
        self._end = 0  # of the last part that was cut

    def cut(self, start: int, end: int) -> None:
        self._kept.write(self._view[self._end : start])
        self._end = end

    def rest(self) -> bytes:
        if not self._end:
            return self._data
        self._kept.write(self._view[self._end :])
        return self._kept.getvalue()


def _png(data: bytes) -> tuple[bytes, bytes]:
    """Strips a PNG: chunks of a length, a name, data of that length and a CRC (PNG, section 5).

    Critical chunks stay, and of the ancillary ones tRNS, which makes colours transparent, and acTL where it tells of
    several frames.
    """
    copy, exif, start = _Copy(data), b"", len(PNG_START)
    while start + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length
        if name == b"eXIf":
            exif = data[start + 8 : end - 4]
        if name[0] & PNG_ANCILLARY and name != b"tRNS" and not (name == b"acTL" and _several_frames(data[start:end])):
            copy.cut(start, end)
        start = end
    return copy.rest(), exif


def _several_frames(chunk: bytes) -> bool:
    """Whether this is an intact acTL chunk (PNG, section 11.3.6.1) with more than one frame."""
    if len(chunk) != 20:
        return False
    frames, _, checksum = struct.unpack_from(">III", chunk, 8)
    return bool(frames > 1 and zlib.crc32(chunk[4:16]) == checksum)


def _jpeg(data: bytes) -> tuple[bytes, bytes]:
    """Strips a JPEG: segments of a marker, a length and data of that length, up to the first scan (ITU-T T.81, annex
    B).

    Comments and application segments are cut, except those of JFIF and Adobe, which tell the colour space.
    """
    copy, exif, start = _Copy(data), b"", len(JPEG_START)
    while match := JPEG_MARKER.match(data, start):
        start, marker = match.end() - 2, data[match.end() - 1]
        if marker == START_OF_SCAN or start + 4 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, start + 2)
        end = start + 2 + length
        if marker == 0xE1 and data.startswith(EXIF_START, start + 4) and not exif:
            exif = data[start + 4 : end]
        # libjpeg ignores shorter ones, but Pillow refuses the picture for them
        jfif = marker == 0xE0 and length >= 16 and data.startswith(b"JFIF\x00", start + 4)
        adobe = marker == 0xEE and length >= 14 and data.startswith(b"Adobe", start + 4)
        if (0xE0 <= marker <= 0xEF or marker == 0xFE) and not jfif and not adobe:
            copy.cut(start, end)
        start = end
    return copy.rest(), exif


def _webp(data: bytes) -> tuple[bytes, bytes]:
    """Strips a WebP: RIFF, a length, WEBP, then chunks of a name, a length and data of even length (RFC 9649)."""
    copy, exif, start = _Copy(data), b"", 12
    while start + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, start)
        end = start + 8 + length + length % 2
        if name == b"EXIF" and not exif:
            exif = data[start + 8 : start + 8 + length]
        if name in WEBP_METADATA:
            copy.cut(start, end)
        start = end
    kept = copy.rest()
    if kept is data:
        return data, exif
    return b"RIFF" + struct.pack("<I", len(kept) - 8) + kept[8:], exif
