"""Strips metadata from a picture's file before it is decoded, so that it cannot break or change the decoding.

Metadata is untrusted input: Pillow refuses a picture for a bad profile or a broken date, and stores a PNG's texts under
names of the client's choice among its own properties of the picture.
"""

import struct
import zlib
from contextlib import suppress
from io import BytesIO
from typing import Final

from service.errors import BAD_PICTURE, RequestError
from service.vision.avif import without_exif
from service.vision.jpeg import SOS, segments
from service.vision.orientation import EXIF_START, Metadata

XMP_START: Final = b"http://ns.adobe.com/xap/1.0/\x00"
PNG_START: Final = b"\x89PNG\r\n\x1a\n"
PNG_ANCILLARY: Final = 0x20  # this bit of the first letter of a chunk's name marks it as not needed to show the picture
# Texts of a PNG that hold an EXIF block in hexadecimal, as ImageMagick writes it, or an XMP packet.
EXIF_PROFILES: Final = (b"Raw profile type exif", b"Raw profile type APP1")
XMP_PROFILE: Final = b"XML:com.adobe.xmp"
MAX_TEXT: Final = 256 * 1024  # bytes of a text that are looked at: four times as many as a JPEG's EXIF may be
# Bytes of a tRNS chunk by colour type: a level of grey; a colour. With a palette it has an alpha for some colours.
TRANSPARENCY: Final = {b"\0": 2, b"\2": 6}
PALETTE: Final = b"\3"
WEBP_METADATA: Final = (b"ICCP", b"EXIF", b"XMP ")
# A PNG has a chunk for each row at most, in usual files one for 8 KiB. Each costs time, but may have only 12 bytes.
MAX_CHUNKS: Final = 100_000


def without_metadata(data: bytes, name: str) -> tuple[bytes, Metadata]:
    """Returns the file of a format, one of service.vision.formats.DECODED, without its metadata, and what of them tells
    its orientation.

    Everything after the place where a file is broken is returned unchanged. The file is not copied where there is
    nothing to strip. Raises RequestError BAD_PICTURE where the file has more parts than any picture needs.
    """
    return {"JPEG": _jpeg, "PNG": _png, "WebP": _webp, "AVIF": _avif}[name](data)


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


def _jpeg(data: bytes) -> tuple[bytes, Metadata]:
    """Strips a JPEG up to the first scan: comments and application segments are cut, except those of JFIF and Adobe,
    which tell the colour space."""
    copy, exif, xmp = _Copy(data), b"", b""
    for marker, start, end in segments(data):
        if marker == SOS:
            break
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            continue
        if marker == 0xE1 and data.startswith(EXIF_START, start + 4):
            exif = exif or data[start + 4 : end]
        if marker == 0xE1 and data.startswith(XMP_START, start + 4):
            xmp = xmp or data[start + 4 : end]
        # libjpeg ignores shorter ones, but Pillow refuses the picture for them
        length = end - start - 2
        jfif = marker == 0xE0 and length >= 16 and data.startswith(b"JFIF\x00", start + 4)
        adobe = marker == 0xEE and length >= 14 and data.startswith(b"Adobe", start + 4)
        if not jfif and not adobe:
            copy.cut(start, end)
    return copy.rest(), Metadata(exif, xmp)


def _png(data: bytes) -> tuple[bytes, Metadata]:
    """Strips a PNG: chunks of a length, a name, data of that length and a CRC (PNG, section 5).

    Critical chunks stay, and of the ancillary ones tRNS, which makes colours transparent, where it is intact, and acTL
    where it tells of several frames.
    """
    copy, start = _Copy(data), len(PNG_START)
    exif = exif_profile = xmp = b""
    colours = 0
    for _ in range(MAX_CHUNKS):
        if start + 8 > len(data):
            break
        length, name = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length
        if name == b"PLTE":
            colours = length // 3
        if name[0] & PNG_ANCILLARY:
            if name == b"eXIf":
                exif = exif or data[start + 8 : end - 4]
            elif name in (b"tEXt", b"zTXt", b"iTXt"):
                if not exif_profile and data.startswith(EXIF_PROFILES, start + 8):
                    exif_profile = _profile(_text(name, data[start + 8 : end - 4]))
                elif not xmp and data.startswith(XMP_PROFILE, start + 8):
                    xmp = _text(name, data[start + 8 : end - 4])
            if not (
                (name == b"tRNS" and _fits(data[start:end], data[25:26], colours))
                or (name == b"acTL" and _several_frames(data[start:end]))
            ):
                copy.cut(start, end)
        start = end
    else:
        raise _too_many_chunks()
    return copy.rest(), Metadata(exif or exif_profile, xmp)


def _intact(chunk: bytes) -> bool:
    """Whether a chunk of a PNG has all its bytes and the right CRC."""
    return len(chunk) >= 12 and chunk[-4:] == struct.pack(">I", zlib.crc32(chunk[4:-4]))


def _fits(chunk: bytes, colour_type: bytes, colours: int) -> bool:
    """Whether this is an intact tRNS chunk (PNG, section 11.3.2.1) of this colour type, with a palette of as many
    colours."""
    length = len(chunk) - 12
    fits = 0 < length <= colours if colour_type == PALETTE else TRANSPARENCY.get(colour_type) == length
    return fits and _intact(chunk)


def _several_frames(chunk: bytes) -> bool:
    """Whether this is an intact acTL chunk (PNG, section 11.3.6.1) with more than one frame."""
    return len(chunk) == 20 and int.from_bytes(chunk[8:12]) > 1 and _intact(chunk)


def _text(name: bytes, data: bytes) -> bytes:
    """The text of a PNG's chunk (section 11.3.3) after its keyword, at most MAX_TEXT of it; b"" where it is damaged."""
    _, _, text = data.partition(b"\0")
    compressed = name == b"zTXt"
    if compressed:  # a method comes before it
        text = text[1:]
    if name == b"iTXt":  # a flag, a method, a language, a translated keyword
        compressed = text[:1] == b"\x01"
        text = text[2:].split(b"\0", 2)[-1]
    if not compressed:
        return text[:MAX_TEXT]
    with suppress(zlib.error):
        return zlib.decompressobj().decompress(text, MAX_TEXT)
    return b""


def _profile(text: bytes) -> bytes:
    """The bytes of a raw profile: a line with its kind, one with its length, then hexadecimal digits."""
    digits = b"".join(text.split()[2:])
    with suppress(ValueError):
        return bytes.fromhex(digits[: len(digits) // 2 * 2].decode("latin-1"))
    return b""


def _webp(data: bytes) -> tuple[bytes, Metadata]:
    """Strips a WebP: RIFF, a length, WEBP, then chunks of a name, a length and data of even length (RFC 9649).

    A length that reaches beyond the data is set to what there is, as decoders take it.
    """
    copy, start = _Copy(data), 12
    name = exif = xmp = b""
    for _ in range(MAX_CHUNKS):
        if start + 8 > len(data):
            break
        name, length = struct.unpack_from("<4sI", data, start)
        end = start + 8 + length + length % 2
        if name == b"EXIF":
            exif = exif or data[start + 8 : start + 8 + length]
        if name == b"XMP ":
            xmp = xmp or data[start + 8 : start + 8 + length]
        if name in WEBP_METADATA:
            copy.cut(start, end)
        start = end
    else:
        raise _too_many_chunks()
    kept = copy.rest()
    length = len(kept) - 8
    if kept is data and int.from_bytes(data[4:8], "little") <= length:
        return data, Metadata(exif, xmp)
    padding = bytes(start == len(data) + 1 and name not in WEBP_METADATA)  # of a last chunk of odd length
    return b"RIFF" + struct.pack("<I", length + len(padding)) + kept[8:] + padding, Metadata(exif, xmp)


def _avif(data: bytes) -> tuple[bytes, Metadata]:
    """Hides the EXIF block of an AVIF.

    Its orientation counts for nothing: how an AVIF is turned is among its properties (irot, imir), which decoders tell.
    """
    return without_exif(data), Metadata()


def _too_many_chunks() -> RequestError:
    return RequestError(BAD_PICTURE, f"The file has over {MAX_CHUNKS} chunks. Save the picture again.")
