"""Decodes a JPEG, PNG, WebP or AVIF file to upright RGB pixels, whatever its colour mode."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from time import perf_counter
from typing import Final, Self

import numpy as np
from PIL import AvifImagePlugin, Image, ImageFile

from service.errors import BAD_PICTURE, TOO_LARGE, RequestError, lacks_memory
from service.vision.arrays import Pixels
from service.vision.avif import frame_pixels, several_frames
from service.vision.formats import EXPECTED, checked_format
from service.vision.jpeg import END_OF_IMAGE, JpegFrame, frame_of
from service.vision.letterbox import PAD_GREY
from service.vision.metadata import without_metadata
from service.vision.orientation import FROM_BELOW, SIDEWAYS, UPRIGHT, Metadata

# Most pixels along a side, the most that a JPEG can have. Pillow and we take some time and memory for each row, so a
# picture of 1 x 25,000,000 would cost ten times as much as a square of as many pixels.
MAX_SIDE: Final = 65_535

# A JPEG is decoded at 1/2, 1/4 or 1/8 of its size, which leaves little but reading its bytes. A baseline JPEG of 200
# megapixels, the most of any phone, then takes as long as a PNG of 25, and a tenth of its memory.
JPEG_PIXELS: Final = 8  # times as many as a PNG may have
JPEG_SCALES: Final = (8, 4, 2, 1)
# A progressive JPEG holds its picture in about 10 scans. Each costs a pass over the whole picture (30 ms at 25
# megapixels) but may have only 20 bytes, so a small file with thousands of them would keep a core busy for minutes.
MAX_JPEG_SCANS: Final = 32
# It is also held in memory as coefficients: of 25 megapixels with full colour, or of 50 with colour at half size.
COEFFICIENT_BYTES: Final = 6  # for each pixel that a PNG may have
# libjpeg fetches that many bytes ahead of the bits that it needs.
LOOKAHEAD: Final = bytes(8)
# Bits that change a picture if they are taken for its data.
TAIL: Final = bytes(17 * i % 251 for i in range(256))
TAIL_SIDE: Final = 2048  # pixels of the longer side at which they are looked for

STRIP_PIXELS: Final = 2**20  # that are converted at once: more would take memory besides the picture, fewer take time

# The limit is ours, below, and comes before any decoding; Pillow's own would only warn at 89 megapixels.
Image.MAX_IMAGE_PIXELS = None
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # as all that one worker does
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
    """Decodes a picture so that its longer side has at least `side` pixels, or all that it has.

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where that is enough, which takes as much less time; one of more
    than max_megapixels always is, so that it may have JPEG_PIXELS times as many. Transparent parts become the grey that
    surrounds pictures in the network's input. Of the metadata only the orientation is used. Of a JPEG with several
    pictures (MPO, written by many phones) the first is the photo; the others, previews and depth, are ignored.
    Raises RequestError: BAD_PICTURE for what is no picture of one frame, TOO_LARGE for one that would cost more time or
    memory than max_megapixels of a PNG.
    """
    name = checked_format(data)
    data, metadata = without_metadata(data, name)
    if name == "JPEG":
        return _decode_jpeg(data, metadata, side, max_megapixels)
    if name == "AVIF" and (pixels := frame_pixels(data)) > max_megapixels * 1e6:
        raise _too_large(f"has frames of {pixels / 1e6:.1f} megapixels", max_megapixels)
    image = _open(data, name)
    _check_size(*image.size, max_megapixels)
    if getattr(image, "n_frames", 1) > 1:
        raise several_frames()
    if name == "AVIF":
        metadata = Metadata(exif=image.info.get("exif", b""))  # what Pillow makes of irot and imir
    return _picture(image, metadata.orientation, image.size)


def _decode_jpeg(data: bytes, metadata: Metadata, side: int, max_megapixels: float) -> Picture:
    """Decodes a JPEG as decode does."""
    frame = frame_of(data)
    if frame is None:
        raise _unreadable("JPEG")
    _check_jpeg(frame, max_megapixels)
    if not frame.coefficient_bytes:
        # Cameras leave the end marker away. libjpeg then waits for more bytes, but needs none of them. Where data is
        # missing, too, it takes these bytes for a part of it, and soon asks for more.
        data = data if data.endswith(END_OF_IMAGE) else data + LOOKAHEAD
    elif not frame.ended:
        if not frame.complete or not _is_whole(data):
            raise _truncated()
        data += END_OF_IMAGE
    image = _open(data, "JPEG")
    size = image.size
    if size != (frame.width, frame.height):
        raise _unreadable("JPEG")
    if not frame.lossless:
        _reduce(image, side, max_megapixels * 1e6)
    return _picture(image, metadata.orientation, size)


def _check_jpeg(frame: JpegFrame, max_megapixels: float) -> None:
    """Raises RequestError where a JPEG would cost more time or memory than a PNG of max_megapixels."""
    pixels = frame.width * frame.height
    most = max_megapixels if frame.lossless else max_megapixels * JPEG_PIXELS
    _check_size(frame.width, frame.height, most)
    if frame.scans > MAX_JPEG_SCANS:
        raise RequestError(BAD_PICTURE, f"The JPEG has over {MAX_JPEG_SCANS} scans. Save it again, as a baseline JPEG.")
    if (
        frame.coefficient_bytes > COEFFICIENT_BYTES * max_megapixels * 1e6
        or frame.scans * pixels > MAX_JPEG_SCANS * max_megapixels * 1e6
    ):
        raise RequestError(
            TOO_LARGE,
            f"The JPEG {_size(frame.width, frame.height)} in {frame.scans} scans, which takes "
            f"{frame.coefficient_bytes / 1e6:.0f} MB to decode. Save it as a baseline JPEG, not a progressive one, "
            "or scale it down.",
        )


def _check_size(width: int, height: int, max_megapixels: float) -> None:
    if width * height > max_megapixels * 1e6:
        raise _too_large(_size(width, height), max_megapixels)
    if max(width, height) > MAX_SIDE:
        raise RequestError(
            TOO_LARGE,
            f"The picture {_size(width, height)}; at most {MAX_SIDE} pixels are allowed along a side. Cut or scale it.",
        )


def _size(width: int, height: int) -> str:
    return f"is {width} x {height} = {width * height / 1e6:.1f} megapixels"


def _too_large(what: str, max_megapixels: float) -> RequestError:
    return RequestError(TOO_LARGE, f"The picture {what}; at most {max_megapixels:g} are allowed. Scale it down.")


def _unreadable(name: str) -> RequestError:
    return RequestError(
        BAD_PICTURE, f"The {name} file cannot be read: its beginning is damaged or missing. Send a complete {EXPECTED}."
    )


def _truncated() -> RequestError:
    return RequestError(
        BAD_PICTURE,
        "The picture is truncated or corrupt: its header could be read, its pixels could not. Send the complete file.",
    )


def _open(data: bytes, name: str) -> ImageFile.ImageFile:
    """Reads the header of a file of a format, one of DECODED."""
    try:
        return Image.open(BytesIO(data), formats=[name.upper()])
    except Exception as error:
        if lacks_memory(error):
            raise
        raise _unreadable(name) from error


def _reduce(image: ImageFile.ImageFile, side: int, max_pixels: float) -> None:
    """Chooses the size that a JPEG will be decoded at: the smallest with `side` pixels along its longer side, or a
    smaller one, so that there are at most max_pixels in all."""
    width, height = image.size
    scale = next((scale for scale in JPEG_SCALES if max(width, height) >= scale * side), 1)
    while width * height > max_pixels * scale**2 and scale < JPEG_SCALES[0]:
        scale *= 2
    if scale > 1:
        image.draft(None, (max(1, width // scale), max(1, height // scale)))


def _is_whole(data: bytes) -> bool:
    """Whether the last scan of a JPEG of several scans, without an end marker, has all its data.

    If it has, whatever follows is passed over. If not, what follows is taken for data, and changes the picture.
    """
    ends = []
    for tail in (b"", TAIL):
        image = _open(data + tail + END_OF_IMAGE, "JPEG")
        _reduce(image, TAIL_SIDE, TAIL_SIDE**2)
        _load(image)
        ends.append(image)
    return bool(ends[0] == ends[1])


def _load(image: Image.Image) -> None:
    """Decodes the pixels. Raises RequestError BAD_PICTURE where they are damaged or missing."""
    try:
        image.load()
    except Exception as error:  # decoders raise errors of many types for a broken file
        if lacks_memory(error):
            raise
        raise _truncated() from error


def _picture(image: Image.Image, orientation: int, size: tuple[int, int]) -> Picture:
    """Decodes an image of the size that it was sent in, and turns it upright."""
    _load(image)
    if image.height <= max(1, STRIP_PIXELS // image.width):
        pixels = np.asarray(_upright(_to_rgb(image), orientation))
    else:
        pixels = _in_strips(image, orientation)
    return Picture(pixels, *(size[::-1] if orientation in SIDEWAYS else size))


def _in_strips(image: Image.Image, orientation: int) -> Pixels:
    """Converts an image strip by strip, so that it takes no memory besides the image and the result (h, w, 3)."""
    width, height = image.size
    shape = (width, height, 3) if orientation in SIDEWAYS else (height, width, 3)
    pixels = np.empty(shape, np.uint8)
    rows = max(1, STRIP_PIXELS // width)
    for start in range(0, height, rows):
        end = min(start + rows, height)
        strip = np.asarray(_upright(_to_rgb(image.crop((0, start, width, end))), orientation))
        first, last = (height - end, height - start) if orientation in FROM_BELOW else (start, end)
        if orientation in SIDEWAYS:
            pixels[:, first:last] = strip
        else:
            pixels[first:last] = strip
    return pixels


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _to_rgb(image: Image.Image) -> Image.Image:
    """Converts an image to RGB."""
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
