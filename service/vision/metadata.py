"""Takes metadata out of a JPEG, PNG or WebP file before it is decoded, so that none of it can break or steer that.

What a file has beside its pixels is the sender's: Pillow refuses a picture for a bad profile or a broken date, and
takes a PNG's text under the name of a sender's choice for its own notes on the picture.
"""

import re
import struct
import zlib
from io import BytesIO
from typing import Final

PNG_START: Final = b"\x89PNG\r\n\x1a\n"
PNG_ANCILLARY: Final = 0x20  # this bit of the first letter of a chunk's name: not needed to show the picture
JPEG_START: Final = b"\xff\xd8"
JPEG_MARKER: Final = re.compile(rb"\xff+[\xc0-\xcf\xda-\xfe]")  # of a segment that has a length
START_OF_SCAN: Final = 0xDA
WEBP_METADATA: Final = (b"ICCP", b"EXIF", b"XMP ")
EXIF_START: Final = b"Exif\x00\x00"


def without_metadata(data: bytes) -> tuple[bytes, bytes]:
    """The file without its metadata, and its EXIF block, b"" where it has none. Neither is checked.

    What is no JPEG, PNG or WebP file comes back as it is, and so does all that follows where one is broken. The file
    is not copied where there is nothing to take out.
    """
    if data.startswith(PNG_START):
        return _png(data)
    if data.startswith(JPEG_START):
        return _jpeg(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    return data, b""


class _Copy:
    """data without the parts that are taken out, in their order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._view = memoryview(data)
        self._kept = BytesIO()
        self._end = 0  # of what was taken out last

    def take_out(self, start: int, end: int) -> None:
        self._kept.write(self._view[self._end : start])
        self._end = end

    def rest(self) -> bytes:
        if not self._end:
            return self._data
        self._kept.write(self._view[self._end :])
        return self._kept.getvalue()


def _png(data: bytes) -> tuple[bytes, bytes]:
    """PNG, section 5: chunks of a length, a name, so many bytes and a CRC. Those that are needed stay, and of others
    tRNS, which makes colours transparent, and acTL where it says that there are several frames."""
    copy, exif, start = _Copy(data), b"", len(PNG_START)
    while start + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length
        if name == b"eXIf":
            exif = data[start + 8 : end - 4]
        if name[0] & PNG_ANCILLARY and name != b"tRNS" and not (name == b"acTL" and _several_frames(data[start:end])):
            copy.take_out(start, end)
        start = end
    return copy.rest(), exif


def _several_frames(chunk: bytes) -> bool:
    """Whether an intact acTL chunk (PNG, section 11.3.6.1) says so."""
    if len(chunk) != 20:
        return False
    frames, _, checksum = struct.unpack_from(">III", chunk, 8)
    return bool(frames > 1 and zlib.crc32(chunk[4:16]) == checksum)


def _jpeg(data: bytes) -> tuple[bytes, bytes]:
    """ITU-T T.81, annex B: segments of a marker, a length and so many bytes, up to the first scan. Comments and
    application segments go, but for those of JFIF and Adobe, which tell the colour space."""
    copy, exif, start = _Copy(data), b"", len(JPEG_START)
    while match := JPEG_MARKER.match(data, start):
        start, marker = match.end() - 2, data[match.end() - 1]
        if marker == START_OF_SCAN or start + 4 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, start + 2)
        end = start + 2 + length
        if marker == 0xE1 and data.startswith(EXIF_START, start + 4) and not exif:
            exif = data[start + 4 : end]
        # as long as libjpeg wants them, or it takes no notice of them, while Pillow refuses the picture
        jfif = marker == 0xE0 and length >= 16 and data.startswith(b"JFIF\x00", start + 4)
        adobe = marker == 0xEE and length >= 14 and data.startswith(b"Adobe", start + 4)
        if (0xE0 <= marker <= 0xEF or marker == 0xFE) and not jfif and not adobe:
            copy.take_out(start, end)
        start = end
    return copy.rest(), exif


def _webp(data: bytes) -> tuple[bytes, bytes]:
    """RFC 9649: RIFF, the length of what follows, WEBP, and chunks of a name, a length and so many bytes, made even."""
    copy, exif, start = _Copy(data), b"", 12
    while start + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, start)
        end = start + 8 + length + length % 2
        if name == b"EXIF" and not exif:
            exif = data[start + 8 : start + 8 + length]
        if name in WEBP_METADATA:
            copy.take_out(start, end)
        start = end
    kept = copy.rest()
    if kept is data:
        return data, exif
    return b"RIFF" + struct.pack("<I", len(kept) - 8) + kept[8:], exif
