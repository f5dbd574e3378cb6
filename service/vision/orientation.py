"""How a picture is to be turned, as its metadata tell: EXIF's tag Orientation, or XMP's tiff:Orientation."""

import re
import struct
from dataclasses import dataclass
from typing import Final

from PIL import Image

EXIF_START: Final = b"Exif\x00\x00"
EXIF_ORIENTATION: Final = 0x0112
# Types of TIFF 6.0 that hold whole numbers, in the byte orders < and >. Cameras write a SHORT; some programs do not.
INTEGERS: Final = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
XMP_ORIENTATION: Final = re.compile(rb"""tiff:Orientation(?:\s*=\s*["']|>)\s*([1-8])\s*["'<]""")

UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
FROM_BELOW: Final = {3, 4, 6, 7}  # orientations whose first row becomes the last row or column
SIDEWAYS: Final = {5, 6, 7, 8}  # whose rows become columns


@dataclass(frozen=True)
class Metadata:
    """The metadata of a file that tell its orientation, as they are in it: unchecked, b"" where there are none."""

    exif: bytes = b""
    xmp: bytes = b""

    @property
    def orientation(self) -> int:
        """Orientation, 1 to 8: of the EXIF block, or where that tells none, of the XMP packet; 1 where neither does."""
        return _exif_orientation(self.exif) or _xmp_orientation(self.xmp) or 1


def _exif_orientation(exif: bytes) -> int | None:
    """Orientation in the first directory of an EXIF block (TIFF 6.0 layout).

    Read here rather than by Pillow's parser, since the rest of a client's EXIF block is not needed.
    """
    tiff = exif.removeprefix(EXIF_START)
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return None
    try:
        (directory,) = struct.unpack_from(order + "4xI", tiff)
        (entries,) = struct.unpack_from(order + "H", tiff, directory)
        for start in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, kind, count = struct.unpack_from(order + "HHI", tiff, start)
            if tag == EXIF_ORIENTATION and kind in INTEGERS and count:
                (value,) = struct.unpack_from(order + INTEGERS[kind], tiff, start + 8)
                return value if 1 <= value <= 8 else None
    except struct.error:
        return None
    return None


def _xmp_orientation(xmp: bytes) -> int | None:
    found = XMP_ORIENTATION.search(xmp)
    return int(found[1]) if found else None
