"""Decodes a JPEG, PNG or WebP file to upright RGB pixels, whatever its colour mode."""

import re
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from time import perf_counter
from typing import Final, Self

import numpy as np
from PIL import Image, ImageFile

from service.errors import BAD_PICTURE, TOO_LARGE, RequestError, lacks_memory
from service.vision.arrays import Pixels
from service.vision.letterbox import PAD_GREY
from service.vision.metadata import EXIF_START, without_metadata

FORMATS: Final = ("JPEG", "PNG", "WEBP")

# A progressive JPEG holds its picture in about 10 scans. Each costs a pass over the whole picture (30 ms at 25
# megapixels) but may have only 20 bytes, so a small file with thousands of them would keep a core busy for minutes.
MAX_JPEG_SCANS: Final = 32
START_OF_SCAN: Final = b"\xff\xda"
END_OF_IMAGE: Final = b"\xff\xd9"
# A marker of ITU-T T.81 that a length follows, or the end: all but stuffed bytes, fill bytes, TEM and RST.
MARKER: Final = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")

EXIF_ORIENTATION: Final = 0x0112
UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# The limit is ours, below, and comes before any decoding; Pillow's own would only warn at 89 megapixels.
Image.MAX_IMAGE_PIXELS = None
# Pillow's warnings are about the client's file, so they do not belong in the server's log.
warnings.filterwarnings("ignore", module=r"PIL(\.|$)")


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    pixels: (h, w, 3) uint8 RGB, upright, perhaps decoded at a reduced size. width, height: of the picture as sent,
    after its EXIF orientation; all coordinates are in these pixels.
    """

    pixels: Pixels
    width: int
    height: int


ImageLoader = Callable[[int], Picture]  # decodes a picture so that its longer side has at least that many pixels


class LazyImage:
    """A picture that is decoded at the first access, and again where more pixels are needed later.

    asked: pixels of the longer side in the last call of at_least. milliseconds: spent on decoding so far.
    """

    def __init__(self, load: ImageLoader) -> None:
        self._load = load
        self._picture: Picture | None = None
        self.asked = 0
        self.milliseconds = 0.0

    @classmethod
    def of(cls, picture: Picture) -> Self:
        """Wraps a picture that is decoded already."""
        return cls(lambda _: picture)

    @property
    def picture(self) -> Picture:
        """The picture as it is decoded now."""
        return self._picture or self.at_least(1)

    def at_least(self, side: int) -> Picture:
        """The picture with at least `side` pixels on its longer side, or all it has. Raises what the loader raises."""
        self.asked = side
        picture = self._picture
        if picture is None or max(picture.pixels.shape[:2]) < min(side, max(picture.width, picture.height)):
            start = perf_counter()
            picture = self._picture = self._load(side)
            self.milliseconds += (perf_counter() - start) * 1e3
        return picture


def decode(data: bytes, side: int, max_megapixels: float) -> Picture:
    """Decodes a picture so that its longer side has at least `side` pixels (or all that it has).

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where that is enough, which takes as much less time. Transparent
    parts become the grey that surrounds pictures in the network's input. Of the metadata only the EXIF orientation is
    used. Of a JPEG with several pictures (MPO, written by many phones) the first is the photo; the others, previews and
    depth, are ignored.
    Raises RequestError: BAD_PICTURE for what is no picture of one frame, TOO_LARGE above max_megapixels.
    """
    if not data:
        raise RequestError(
            BAD_PICTURE, "There are 0 bytes where a picture was expected. Send a JPEG, PNG or WebP file."
        )
    data, exif = without_metadata(data)
    image = _open(data)
    if image.width * image.height > max_megapixels * 1e6:
        raise RequestError(
            TOO_LARGE,
            f"The picture is {image.width} x {image.height} = {image.width * image.height / 1e6:.1f} megapixels; "
            f"at most {max_megapixels:g} are allowed. Scale it down.",
        )
    if getattr(image, "n_frames", 1) > 1:
        raise RequestError(
            BAD_PICTURE, "The file is animated or has several frames; one was expected. Send a single frame."
        )
    # The bytes that begin a scan may also follow the picture, where phones append videos.
    if image.format == "JPEG" and data.count(START_OF_SCAN) > MAX_JPEG_SCANS and _scans(data) > MAX_JPEG_SCANS:
        raise RequestError(BAD_PICTURE, f"The JPEG has over {MAX_JPEG_SCANS} scans. Save it again, as a baseline JPEG.")
    width, height = image.size
    turned = UPRIGHT.get(_orientation(exif))
    shrink = side / max(width, height)
    try:
        if shrink < 1:
            image.draft(None, (max(1, int(width * shrink)), max(1, int(height * shrink))))
        rgb = _to_rgb(image)
    except Exception as error:  # decoders raise errors of many types for a broken file
        if lacks_memory(error):
            raise
        raise RequestError(
            BAD_PICTURE,
            "The picture is truncated or corrupt: its header could be read, its pixels could not. "
            "Send the complete file.",
        ) from error
    if turned is not None:
        rgb = rgb.transpose(turned)
        if turned in (UPRIGHT[5], UPRIGHT[6], UPRIGHT[7], UPRIGHT[8]):
            width, height = height, width
    return Picture(np.asarray(rgb), width, height)


def _open(data: bytes) -> ImageFile.ImageFile:
    try:
        return Image.open(BytesIO(data), formats=FORMATS)
    except Exception as error:
        if lacks_memory(error):
            raise
        raise RequestError(
            BAD_PICTURE, "The bytes are not a picture that can be read: expected a complete JPEG, PNG or WebP file."
        ) from error


def _scans(data: bytes) -> int:
    """Number of scans of a JPEG up to its end marker."""
    count, start = 0, 2
    while (match := MARKER.search(data, start)) and match[0] != END_OF_IMAGE and match.end() + 2 <= len(data):
        count += match[0] == START_OF_SCAN
        start = match.end() + int.from_bytes(data[match.end() : match.end() + 2])
    return count


def _to_rgb(image: Image.Image) -> Image.Image:
    """Decodes an image and converts it to RGB."""
    image.load()
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16-bit grey, in one of Pillow's several modes for it
        high_byte = np.clip(np.asarray(image).astype(np.int32) >> 8, 0, 255).astype(np.uint8)
        return Image.fromarray(high_byte).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGB", rgba.size, (PAD_GREY, PAD_GREY, PAD_GREY))
        ground.paste(rgba, mask=rgba)
        return ground
    return image.convert("RGB")


def _orientation(exif: bytes) -> int:
    """Orientation, 1 to 8, in the first directory of an EXIF block (TIFF 6.0 layout); 1 where it has none.

    Read here rather than by Pillow's parser, since the rest of a client's EXIF block is not needed.
    """
    tiff = exif.removeprefix(EXIF_START)
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(order + "4xI", tiff)
        (entries,) = struct.unpack_from(order + "H", tiff, directory)
        for start in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, start)
            if tag == EXIF_ORIENTATION and kind == 3:  # 3: an unsigned short
                return int(value)
    except struct.error:
        return 1
    return 1
