"""An odd picture, and what others make of it."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, Final

import numpy as np
from PIL import Image, ImageFile

from service.errors import ProblemKind
from service.vision.arrays import Pixels

GREY: Final = 114  # what shows through transparent parts
# Rows and columns of the upright picture in terms of the stored one, by EXIF orientation (CIPA DC-008, 4.6.4.A).
TURNS: Final[dict[int, Callable[[Pixels], Pixels]]] = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: p[::-1].transpose(1, 0, 2),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: p[:, ::-1].transpose(1, 0, 2),
}


@dataclass(frozen=True)
class OddPicture:
    """A file and what is expected of it.

    clean: a file of the same pixels without what is odd, for Pillow to decode, or of one pixel where all are the same;
    the file itself where Pillow can.
    orientation: 1 to 8, that it is to be turned by. refused: the problem, where it cannot be decoded.
    """

    name: str
    data: bytes
    clean: bytes = b""
    orientation: int = 1
    refused: ProblemKind | None = None

    def expected(self) -> Pixels:
        """The upright RGB pixels as plain Pillow decodes them."""
        return TURNS[self.orientation](plain_rgb(self.clean or self.data))


def plain_rgb(data: bytes) -> Pixels:
    """The pixels as Pillow decodes them, not turned, over grey where they are transparent."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # what viewers show
    try:
        image = Image.open(BytesIO(data))
        image.load()
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    if image.mode.startswith("I"):
        return np.repeat((np.asarray(image).astype(np.int64) >> 8).astype(np.uint8)[..., None], 3, axis=2)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, (GREY,) * 3 + (255,)), rgba))[..., :3]
    return np.asarray(image.convert("RGB"))


@cache
def scene(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture whose four corners differ, with edges and fine grain."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    red = 255 * x / max(1, width - 1)
    green = 255 * y / max(1, height - 1)
    blue = 128 + 100 * np.sin(x / 3) * np.cos(y / 5)
    grain = np.random.default_rng(width * height).normal(0, 6, (height, width, 1))
    rgb = np.clip(np.stack([red, green, blue], axis=-1) + grain, 0, 255).astype(np.uint8)
    image = Image.fromarray(rgb)
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.fromarray(np.clip(x * 12, 0, 255).astype(np.uint8)))
    return image.quantize(16) if mode == "P" else image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A file that Pillow writes."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(value: int, kind: int = 3, order: str = "<") -> bytes:
    """An EXIF block with one tag, Orientation, of a type of TIFF 6.0: 1 BYTE, 3 SHORT, 4 LONG, 6 to 9 signed."""
    number = struct.pack(order + {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}[kind], value).ljust(4, b"\0")
    start = b"II*\0" if order == "<" else b"MM\0*"
    return b"Exif\0\0" + start + struct.pack(order + "IHHHI", 8, 1, 0x0112, kind, 1) + number + bytes(4)


def xmp(value: int, form: str = "attribute") -> bytes:
    """An XMP packet with tiff:Orientation, as an attribute or as an element."""
    told = f'tiff:Orientation="{value}">' if form == "attribute" else f"><tiff:Orientation>{value}</tiff:Orientation>"
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" {told}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()
