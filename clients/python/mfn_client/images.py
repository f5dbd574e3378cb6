"""Pictures in the forms that callers have, and their message."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from mfn.v1 import retarget_pb2 as pb
from numpy.typing import NDArray


class PixelFormat(Enum):
    """Layouts of raw pixels, 8 bits per sample.

    RGB, BGR, RGBA, BGRA: one plane of pixels; A is ignored. GRAY8: one plane of grey. NV12, NV21: a plane of Y, then
    one of interleaved U and V, or V and U, at half the resolution. I420: planes of Y, U and V. YUY2: one plane of Y, U,
    Y, V in turn, also called YUYV.
    """

    RGB = pb.PIXEL_FORMAT_RGB
    RGBA = pb.PIXEL_FORMAT_RGBA
    BGRA = pb.PIXEL_FORMAT_BGRA
    NV12 = pb.PIXEL_FORMAT_NV12
    I420 = pb.PIXEL_FORMAT_I420
    BGR = pb.PIXEL_FORMAT_BGR
    GRAY8 = pb.PIXEL_FORMAT_GRAY8
    NV21 = pb.PIXEL_FORMAT_NV21
    YUY2 = pb.PIXEL_FORMAT_YUY2


class ColorMatrix(Enum):
    """The weights that YUV was made with, of ITU-R BT.601 or BT.709."""

    BT601 = pb.COLOR_MATRIX_BT601
    BT709 = pb.COLOR_MATRIX_BT709


class ColorRange(Enum):
    """The values of YUV or grey. LIMITED: Y and grey 16 to 235, U and V 16 to 240. FULL: 0 to 255."""

    LIMITED = pb.COLOR_RANGE_LIMITED
    FULL = pb.COLOR_RANGE_FULL


@dataclass(frozen=True)
class Plane:
    """Where a plane of raw pixels lies: bytes before it, and bytes from one row to the next, 0 without a gap."""

    offset: int
    stride: int = 0


@dataclass(frozen=True)
class RawImage:
    """Raw pixels of a camera or a video decoder.

    width, height: pixels. stride: bytes from one row of the first plane to the next, 0 where rows follow without a gap.
    data: the rows, from the top unless bottom_up. planes: where each plane lies in data, in the format's order, in
    place of stride; empty where each begins at the end of the one before it. matrix: None for BT709 where the shorter
    side has 720 pixels or more, and BT601 otherwise. range: None for LIMITED of YUV and FULL of grey. bottom_up:
    whether the rows come from the bottom.
    """

    format: PixelFormat
    width: int
    height: int
    stride: int
    data: bytes
    planes: tuple[Plane, ...] = ()
    matrix: ColorMatrix | None = None
    range: ColorRange | None = None
    bottom_up: bool = False


Image = bytes | NDArray[np.uint8] | RawImage  # a JPEG, PNG, WebP or AVIF file; (H, W, 3) RGB; raw pixels


def image_message(image: Image, rotation: int = 0) -> pb.Image:
    """Converts a picture to its message. The content of an encoded picture is not checked, since the server does that.

    rotation: degrees by which it has to be turned clockwise to be upright. Raises TypeError for what is not a picture,
    ValueError for an array of another shape or type than (H, W, 3) uint8, and for a negative rotation.
    """
    if isinstance(image, bytes):
        return pb.Image(encoded=image, rotation=rotation)
    if isinstance(image, RawImage):
        return pb.Image(raw=_raw_message(image), rotation=rotation)
    if not isinstance(image, np.ndarray):
        raise TypeError(f"an image is bytes, a NumPy array or a RawImage, not {type(image).__name__}")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"an array of shape {image.shape} and type {image.dtype} came; expected (H, W, 3) uint8, RGB")
    height, width, _ = image.shape
    raw = pb.RawPixels(format=pb.PIXEL_FORMAT_RGB, width=width, height=height, data=image.tobytes())
    return pb.Image(raw=raw, rotation=rotation)


def _raw_message(image: RawImage) -> pb.RawPixels:
    return pb.RawPixels(
        format=image.format.value,
        width=image.width,
        height=image.height,
        stride=image.stride,
        data=image.data,
        planes=[pb.Plane(offset=plane.offset, stride=plane.stride) for plane in image.planes],
        color_matrix=None if image.matrix is None else image.matrix.value,
        color_range=None if image.range is None else image.range.value,
        bottom_up=image.bottom_up,
    )
