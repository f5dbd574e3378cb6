"""Decodes a JPEG, PNG, WebP or AVIF file to upright RGB pixels, whatever its colour mode."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from time import perf_counter
from typing import Final, Self

from PIL import AvifImagePlugin, Image, ImageFile

from service.errors import BAD_PICTURE, RequestError, lacks_memory
from service.vision.arrays import Pixels
from service.vision.avif import frame_pixels, several_frames
from service.vision.formats import EXPECTED, checked_format
from service.vision.jpeg import END_OF_IMAGE, frame_of
from service.vision.limits import check_jpeg, check_size, too_many_pixels
from service.vision.metadata import without_metadata
from service.vision.orientation import SIDEWAYS, Metadata
from service.vision.rgb import upright_rgb

JPEG_SCALES: Final = (8, 4, 2, 1)
# libjpeg fetches that many bytes ahead of the bits that it needs.
LOOKAHEAD: Final = bytes(8)
# Bits that change a picture if they are taken for its data.
TAIL: Final = bytes(17 * i % 251 for i in range(256))
TAIL_SIDE: Final = 2048  # pixels of the longer side at which they are looked for

# The limits are those of service.vision.limits, before any decoding; Pillow's own would only warn at 89 megapixels.
Image.MAX_IMAGE_PIXELS = None
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # as all that one worker does
# Pillow's warnings are about the client's file, so they do not belong in the server's log.
warnings.filterwarnings("ignore", module=r"PIL(\.|$)")


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    pixels: (h, w, 3) uint8 RGB, upright, perhaps decoded at a reduced size. width, height: of the picture as sent,
    after it is turned upright; all coordinates are in these pixels.
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
        raise too_many_pixels(f"The picture has frames of {pixels / 1e6:.1f} megapixels", max_megapixels)
    image = _open(data, name)
    check_size("picture", *image.size, max_megapixels)
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
    check_jpeg(frame, max_megapixels)
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
        with _decoding():
            image.load()
        ends.append(image)
    return bool(ends[0] == ends[1])


def _picture(image: Image.Image, orientation: int, size: tuple[int, int]) -> Picture:
    """Decodes an image of the size that it was sent in, and turns it upright."""
    with _decoding():
        pixels = upright_rgb(image, orientation)
    return Picture(pixels, *(size[::-1] if orientation in SIDEWAYS else size))


@contextmanager
def _decoding() -> Iterator[None]:
    """A block that decodes pixels. Raises RequestError BAD_PICTURE where they are damaged or missing."""
    try:
        yield
    except Exception as error:  # decoders raise errors of many types for a broken file
        if lacks_memory(error):
            raise
        raise _truncated() from error
