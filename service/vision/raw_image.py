"""Converts a raw frame of a live stream to RGB pixels, from the formats that cameras and video decoders give.

Encoded frames (JPEG, PNG, WebP) go through service.vision.image.decode instead.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from PIL import Image

from service.errors import BAD_PICTURE, TOO_LARGE, RequestError
from service.vision.arrays import Pixels
from service.vision.image import Picture


class PixelFormat(Enum):
    """Layouts of 8-bit samples.

    RGB, RGBA and BGRA are one plane of pixels; A is ignored, as video has none. NV12 and I420 are a plane of luma and
    chroma at half its size, both sides rounded up: interleaved Cb Cr in NV12, a plane of Cb and a plane of Cr in I420.
    Both are limited range: luma 16 to 235, chroma 16 to 240 around 128.
    """

    RGB = "RGB"
    RGBA = "RGBA"
    BGRA = "BGRA"
    NV12 = "NV12"
    I420 = "I420"


# Bytes of a pixel in the first plane.
PIXEL_BYTES: Final = {
    PixelFormat.RGB: 3,
    PixelFormat.RGBA: 4,
    PixelFormat.BGRA: 4,
    PixelFormat.NV12: 1,
    PixelFormat.I420: 1,
}

# Raw frames do not tell their colour matrix. Video players assume BT.601 for standard definition and BT.709 for high
# definition, which begins at 720 lines. Lines are counted along the shorter side, since phones are also held upright.
HD_LINES: Final = 720
BT_601: Final = (0.299, 0.114)  # Kr, Kb: the weights of red and blue in luma, ITU-R BT.601
BT_709: Final = (0.2126, 0.0722)  # the same, ITU-R BT.709


@dataclass(frozen=True)
class _Plane:
    """A plane of rows x columns pixels with `samples` bytes each: the first at `offset`, rows `stride` bytes apart."""

    offset: int
    rows: int
    columns: int
    samples: int
    stride: int

    @property
    def end(self) -> int:
        """Offset in bytes where the next plane begins."""
        return self.offset + self.rows * self.stride

    @property
    def padding(self) -> int:
        """Bytes after the last pixel of a row."""
        return self.stride - self.columns * self.samples

    def view(self, data: bytes | memoryview) -> Pixels:
        """The plane's samples (rows, columns, samples) uint8, without a copy."""
        shape = (self.rows, self.columns, self.samples)
        return np.ndarray(shape, np.uint8, data, self.offset, (self.stride, self.samples, 1))


def decode_raw(
    data: bytes | memoryview,
    width: int,
    height: int,
    stride: int,
    pixel_format: PixelFormat,
    side: int,
    max_megapixels: float,
) -> Picture:
    """Converts a raw frame of width x height pixels; its longer side keeps at least `side` pixels (or all that it has).

    stride: bytes from a row of the first plane to the next, 0 where rows follow without a gap. The chroma rows of NV12
    have the same stride, those of I420 half of it, rounded up. Padding after the very last row may be missing.
    Where a whole fraction of the size is enough, pixels are averaged before they are converted. The conversion is
    linear, so this gives the same picture in a fraction of the time. An RGB frame is not copied: the pixels are a view
    of data.
    Raises RequestError: TOO_LARGE above max_megapixels, BAD_PICTURE for sizes that do not fit together.
    """
    _check_size(width, height, max_megapixels)
    planes = _planes(width, height, stride, pixel_format)
    _check_bytes(memoryview(data).nbytes, planes, pixel_format)
    views = [plane.view(data) for plane in planes]
    shrink = max(1, max(width, height) // side)
    if pixel_format is PixelFormat.RGB:
        pixels = views[0]  # the letterbox or crop that follows shrinks it just as fast
    elif pixel_format is PixelFormat.NV12:
        pixels = _rgb_of_yuv(views[0][..., 0], views[1][..., 0], views[1][..., 1], shrink)
    elif pixel_format is PixelFormat.I420:
        pixels = _rgb_of_yuv(views[0][..., 0], views[1][..., 0], views[2][..., 0], shrink)
    else:
        order = "RGBX" if pixel_format is PixelFormat.RGBA else "BGRX"
        packed = np.ascontiguousarray(views[0])
        image = Image.frombytes("RGB", (width, height), packed, "raw", order)
        pixels = np.asarray(image.reduce(shrink) if shrink > 1 else image)
    return Picture(pixels, width, height)


def _check_size(width: int, height: int, max_megapixels: float) -> None:
    if width < 1 or height < 1:
        raise RequestError(
            BAD_PICTURE,
            f"The frame is {width} x {height} pixels; each must be at least 1. Set the width and height of the frame.",
        )
    if width * height > max_megapixels * 1e6:
        raise RequestError(
            TOO_LARGE,
            f"The frame is {width} x {height} = {width * height / 1e6:.1f} megapixels; "
            f"at most {max_megapixels:g} are allowed. Scale it down.",
        )


def _planes(width: int, height: int, stride: int, pixel_format: PixelFormat) -> list[_Plane]:
    samples = PIXEL_BYTES[pixel_format]
    row = width * samples
    stride = stride or row
    if stride < row:
        raise RequestError(
            BAD_PICTURE,
            f"The stride is {stride} bytes; a row of {width} {pixel_format.value} pixels takes {row}. "
            "Send the bytes from one row to the next, or 0 where rows follow without a gap.",
        )
    first = _Plane(0, height, width, samples, stride)
    columns, rows = (width + 1) // 2, (height + 1) // 2
    if pixel_format is PixelFormat.NV12:
        # An odd width without padding leaves a chroma row one byte longer than a luma row.
        return [first, _Plane(first.end, rows, columns, 2, max(stride, 2 * columns))]
    if pixel_format is PixelFormat.I420:
        blue = _Plane(first.end, rows, columns, 1, (stride + 1) // 2)
        return [first, blue, _Plane(blue.end, rows, columns, 1, blue.stride)]
    return [first]


def _check_bytes(count: int, planes: list[_Plane], pixel_format: PixelFormat) -> None:
    first, last = planes[0], planes[-1]
    if count not in (last.end, last.end - last.padding):
        raise RequestError(
            BAD_PICTURE,
            f"The frame has {count} bytes; {first.columns} x {first.rows} pixels in {pixel_format.value} with a stride "
            f"of {first.stride} bytes take {last.end}. Send all of them, with the width, height and stride they have.",
        )


def _rgb_of_yuv(luma: Pixels, blue: Pixels, red: Pixels, shrink: int) -> Pixels:
    """Converts luma (h, w) and chroma (half of each, rounded up) to RGB (H, W, 3), H and W being h and w at 1 / shrink.

    An odd factor is lowered to the next even one, so that luma and chroma shrink to the same size.
    """
    height, width = luma.shape
    y, cb, cr = (Image.fromarray(plane) for plane in (luma, blue, red))
    factor = shrink - shrink % 2
    if factor:
        y = y.reduce(factor)
        if factor > 2:
            cb, cr = cb.reduce(factor // 2), cr.reduce(factor // 2)
    else:  # a chroma sample counts for 2 x 2 pixels, fewer at an odd edge
        covered = (0, 0, width / 2, height / 2)
        cb, cr = (chroma.resize((width, height), Image.Resampling.NEAREST, covered) for chroma in (cb, cr))
    matrix = _rgb_matrix(*(BT_709 if min(width, height) >= HD_LINES else BT_601))
    return np.asarray(Image.merge("RGB", (y, cb, cr)).convert("RGB", matrix))


def _rgb_matrix(kr: float, kb: float) -> tuple[float, ...]:
    """Pillow's matrix of 3 x 4 weights, row by row, from Y, Cb, Cr in limited range and 1 to R, G and B in 0 to 255.

    By definition luma is kr R + kg G + kb B, and Cb and Cr are B - luma and R - luma, scaled to half of the full range.
    """
    kg = 1 - kr - kb
    y, c = 255 / 219, 255 / 224
    rows = (
        (y, 0.0, 2 * c * (1 - kr)),
        (y, -2 * c * (1 - kb) * kb / kg, -2 * c * (1 - kr) * kr / kg),
        (y, 2 * c * (1 - kb), 0.0),
    )
    return tuple(weight for row in rows for weight in (*row, -16 * row[0] - 128 * (row[1] + row[2])))
