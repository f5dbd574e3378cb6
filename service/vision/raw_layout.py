"""The layouts of raw frames: which bytes are which samples, in the formats that cameras and video decoders give."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from service.errors import BAD_PARAMETER, BAD_PICTURE, RequestError
from service.vision.arrays import Pixels


class PixelFormat(Enum):
    """Layouts of 8-bit samples.

    RGB, BGR, RGBA and BGRA are one plane of pixels; A is ignored, as video has none. GRAY8 is one plane of grey. NV12,
    NV21 and I420 are a plane of luma, then chroma at half its size, both sides rounded up: interleaved Cb Cr in NV12,
    Cr Cb in NV21, a plane of Cb and a plane of Cr in I420. YUY2 is one plane of Y Cb Y Cr for every two pixels of a
    row.
    """

    RGB = "RGB"
    BGR = "BGR"
    RGBA = "RGBA"
    BGRA = "BGRA"
    GRAY8 = "GRAY8"
    NV12 = "NV12"
    NV21 = "NV21"
    I420 = "I420"
    YUY2 = "YUY2"


class ColorMatrix(Enum):
    """The weights of red and blue in luma, Kr and Kb."""

    BT_601 = (0.299, 0.114)  # ITU-R BT.601
    BT_709 = (0.2126, 0.0722)  # ITU-R BT.709


class ColorRange(Enum):
    """The values of samples. LIMITED: luma and grey 16 to 235, chroma 16 to 240 around 128. FULL: 0 to 255."""

    LIMITED = "limited"
    FULL = "full"


@dataclass(frozen=True)
class PlaneFormat:
    """A plane of a format. name: of its samples. samples: bytes of a unit, which covers `across` x `down` pixels."""

    name: str
    samples: int
    across: int = 1
    down: int = 1


LUMA: Final = PlaneFormat("Y", 1)
PLANES: Final = {
    PixelFormat.RGB: (PlaneFormat("RGB", 3),),
    PixelFormat.BGR: (PlaneFormat("BGR", 3),),
    PixelFormat.RGBA: (PlaneFormat("RGBA", 4),),
    PixelFormat.BGRA: (PlaneFormat("BGRA", 4),),
    PixelFormat.GRAY8: (PlaneFormat("grey", 1),),
    PixelFormat.NV12: (LUMA, PlaneFormat("Cb Cr", 2, 2, 2)),
    PixelFormat.NV21: (LUMA, PlaneFormat("Cr Cb", 2, 2, 2)),
    PixelFormat.I420: (LUMA, PlaneFormat("Cb", 1, 2, 2), PlaneFormat("Cr", 1, 2, 2)),
    PixelFormat.YUY2: (PlaneFormat("Y Cb Y Cr", 4, 2),),
}
RGB_FORMATS: Final = frozenset({PixelFormat.RGB, PixelFormat.BGR, PixelFormat.RGBA, PixelFormat.BGRA})


@dataclass(frozen=True)
class PlaneLayout:
    """Where a plane lies in a frame. offset: bytes before it. stride: bytes from a row to the next, 0 without a gap."""

    offset: int
    stride: int = 0


@dataclass(frozen=True)
class RawLayout:
    """The layout of a raw frame of width x height pixels.

    stride: bytes from a row of the first plane to the next, 0 where rows follow without a gap. The chroma rows of NV12
    and NV21 have the same stride, those of I420 half of it, rounded up. planes: where each plane lies, in place of
    stride; empty where each begins at the end of the one before it. matrix: None for the usual one, see
    service.vision.raw_image. range: None for the usual one, FULL of GRAY8 and LIMITED of the formats with chroma.
    bottom_up: whether the last row comes first.
    """

    pixel_format: PixelFormat
    width: int
    height: int
    stride: int = 0
    planes: tuple[PlaneLayout, ...] = ()
    matrix: ColorMatrix | None = None
    range: ColorRange | None = None
    bottom_up: bool = False

    def __post_init__(self) -> None:
        if self.range is ColorRange.LIMITED and self.pixel_format in RGB_FORMATS:
            raise RequestError(
                BAD_PARAMETER,
                f"The frame is {self.pixel_format.value} of limited range; these pixels are read as full range. "
                "Send them as 0 to 255, without a range.",
            )

    @property
    def is_full_range(self) -> bool:
        """Whether samples have the values 0 to 255."""
        if self.range is None:
            return self.pixel_format is PixelFormat.GRAY8 or self.pixel_format in RGB_FORMATS
        return self.range is ColorRange.FULL


@dataclass(frozen=True)
class Plane:
    """A plane of rows x columns units: the first at `offset`, rows `stride` bytes apart."""

    format: PlaneFormat
    offset: int
    rows: int
    columns: int
    stride: int

    @property
    def end(self) -> int:
        """Offset in bytes where the next plane begins."""
        return self.offset + self.rows * self.stride

    @property
    def last(self) -> int:
        """Offset in bytes of the end of the last row, without its padding."""
        return self.end - self.stride + self.columns * self.format.samples

    def view(self, data: bytes | memoryview) -> Pixels:
        """The plane's samples (rows, columns, samples) uint8, without a copy."""
        samples = self.format.samples
        return np.ndarray((self.rows, self.columns, samples), np.uint8, data, self.offset, (self.stride, samples, 1))


def planes_of(layout: RawLayout, count: int) -> list[Plane]:
    """The planes of a frame of `count` bytes. Its width and height are at least 1.

    Padding after the very last row may be missing. Raises RequestError BAD_PICTURE where sizes do not fit together.
    """
    return _described_planes(layout, count) if layout.planes else _consecutive_planes(layout, count)


def _described_planes(layout: RawLayout, count: int) -> list[Plane]:
    formats = PLANES[layout.pixel_format]
    if layout.stride:
        raise RequestError(
            BAD_PICTURE,
            f"The frame has a stride, {layout.stride} bytes, and planes, which have their own. Send one of the two.",
        )
    if len(layout.planes) != len(formats):
        raise RequestError(
            BAD_PICTURE,
            f"The frame describes {len(layout.planes)} planes; {layout.pixel_format.value} has {len(formats)}: "
            f"{', '.join(plane.name for plane in formats)}. Send each, or none where they follow without a gap.",
        )
    planes = [
        _plane(layout, plane, given.offset, given.stride) for plane, given in zip(formats, layout.planes, strict=True)
    ]
    for plane in planes:
        if plane.last > count:
            raise RequestError(
                BAD_PICTURE,
                f"The frame has {count} bytes; its plane {plane.format.name} has {plane.rows} rows of "
                f"{plane.columns * plane.format.samples} bytes, {plane.stride} bytes apart, from byte {plane.offset} "
                f"to {plane.last}. Send all of them, with the offset and stride they have.",
            )
    return planes


def _consecutive_planes(layout: RawLayout, count: int) -> list[Plane]:
    formats = PLANES[layout.pixel_format]
    first = _plane(layout, formats[0], 0, layout.stride)
    planes = [first]
    for plane in formats[1:]:
        row = -(-layout.width // plane.across) * plane.samples
        # An odd width without padding leaves a row of Cb Cr one byte longer than a luma row.
        stride = max(row, -(-first.stride * plane.samples // plane.across))
        planes.append(_plane(layout, plane, planes[-1].end, stride))
    end, last = planes[-1].end, planes[-1].last
    if count not in (end, last):
        each = ", ".join(f"{plane.format.name} {plane.end - plane.offset}" for plane in planes)
        raise RequestError(
            BAD_PICTURE,
            f"The frame has {count} bytes; {layout.width} x {layout.height} pixels in {layout.pixel_format.value} "
            f"with a stride of {first.stride} bytes take {end}{f' ({each})' if len(planes) > 1 else ''}. "
            "Send all of them, with the width, height and stride they have.",
        )
    return planes


def _plane(layout: RawLayout, plane: PlaneFormat, offset: int, stride: int) -> Plane:
    """A plane, whose stride is 0 where its rows follow without a gap."""
    columns, rows = -(-layout.width // plane.across), -(-layout.height // plane.down)
    row = columns * plane.samples
    stride = stride or row
    if stride < row:
        raise RequestError(
            BAD_PICTURE,
            f"The stride is {stride} bytes; a row of {columns} {plane.name} takes {row}, in a frame of "
            f"{layout.width} x {layout.height} {layout.pixel_format.value} pixels. "
            "Send the bytes from one row to the next, or 0 where rows follow without a gap.",
        )
    return Plane(plane, offset, rows, columns, stride)
