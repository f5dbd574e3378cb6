"""Tells the format of a file by its first bytes, whatever its name or media type say."""

import re
from typing import Final

from service.errors import BAD_PICTURE, RequestError

DECODED: Final = ("JPEG", "PNG", "WebP", "AVIF")
EXPECTED: Final = "JPEG, PNG, WebP or AVIF file"
# Text is recognised within that many bytes: a web page may begin with comments, an SVG with a prologue.
HEAD: Final = 1024

# What each format begins with.
SIGNATURES: Final = (
    ("JPEG", re.compile(rb"\xff\xd8")),
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("WebP", re.compile(rb"RIFF.{4}WEBP", re.DOTALL)),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("BMP", re.compile(rb"BM.{4}\0{4}", re.DOTALL)),
    ("TIFF", re.compile(rb"II[*+]\0|MM\0[*+]")),
    ("JPEG XL", re.compile(rb"\xff\x0a|\0\0\0\x0cJXL ")),
    ("JPEG 2000", re.compile(rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  ")),
    ("icon (ICO)", re.compile(rb"\0\0[\x01\x02]\0.\0", re.DOTALL)),
    ("Photoshop (PSD)", re.compile(rb"8BPS\0")),
    ("PDF", re.compile(rb"%PDF-")),
    ("video (MP4 or QuickTime)", re.compile(rb".{4}(?:ftyp|moov|mdat|wide)", re.DOTALL)),
    ("video (WebM or Matroska)", re.compile(rb"\x1a\x45\xdf\xa3")),
    ("ZIP", re.compile(rb"PK\x03\x04")),
    ("gzip", re.compile(rb"\x1f\x8b\x08")),
    ("base64 text", re.compile(rb"data:image/|/9j/|iVBORw0KGgo|UklGR[g-v]|AAAA[A-Za-z0-9+/]{2}[A-Za-z0-9+/]mdHlw")),
    ("SVG", re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml.*?<)?(?:!--.*?--\s*>\s*<)?(?:!DOCTYPE )?svg\b", re.DOTALL)),
    ("HTML", re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body|!--)", re.IGNORECASE)),
    ("XML", re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml")),
    ("JSON", re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*["}]|\[\s*[\[{"\d\]])')),
    ("plain text", re.compile(rb"(?:\xef\xbb\xbf)?[\t\n\r -~]{16}")),
)
AVIF_BRANDS: Final = {b"avif", b"avis"}
HEIC_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}

# What helps; and where it is something else, by format.
CURE: Final = "Save the picture as one of them."
BYTES_CURE: Final = "Send the bytes of the picture itself."
CURES: Final = {
    "HEIC": "On an iPhone choose Settings, Camera, Formats, Most Compatible; photos that there are, convert to JPEG.",
    "video (MP4 or QuickTime)": "Send single frames of it.",
    "video (WebM or Matroska)": "Send single frames of it.",
    "base64 text": "Decode it, and send the bytes.",
    **dict.fromkeys(("ZIP", "gzip", "HTML", "XML", "JSON", "plain text"), BYTES_CURE),
}


def format_of(data: bytes) -> str | None:
    """The name of a file's format, one of DECODED or another; None where the bytes are of no format that is known."""
    head = data[:HEAD]
    brands = _brands(head)
    if brands & AVIF_BRANDS:
        return "AVIF"
    if brands & HEIC_BRANDS:
        return "HEIC"
    return next((name for name, signature in SIGNATURES if signature.match(head)), None)


def checked_format(data: bytes) -> str:
    """The name of a picture's format, one of DECODED. Raises RequestError BAD_PICTURE, which names any other."""
    name = format_of(data)
    if name in DECODED:
        return name
    if not data:
        detail = f"There are 0 bytes where a picture was expected. Send a {EXPECTED}."
    elif name is None:
        detail = f"The bytes are not a picture that can be read: expected a complete {EXPECTED}."
    else:
        detail = f"The bytes are {name}, not a {EXPECTED}. {CURES.get(name, CURE)}"
    raise RequestError(BAD_PICTURE, detail)


def _brands(head: bytes) -> set[bytes]:
    """The major and the compatible brands in the first box of an ISO base media file (ISO/IEC 14496-12, 4.3)."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4]), len(head))
    return {head[8:12], *(head[start : start + 4] for start in range(16, end - 3, 4))}
