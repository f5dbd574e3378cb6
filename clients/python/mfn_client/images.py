"""Pictures in the forms that callers have, and their message."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from mfn.v1 import retarget_pb2 as pb
from numpy.typing import NDArray


class PixelFormat(Enum):
    """Layouts of raw pixels, 8 bits per sample.

    RGB, RGBA, BGRA: one plane of pixels; A is ignored. NV12: a plane of Y, then one of interleaved U and V at half the
    resolution. I420: planes of Y, U and V. Both are limited range.
    """

    RGB = pb.PIXEL_FORMAT_RGB
    RGBA = pb.PIXEL_FORMAT_RGBA
    BGRA = pb.PIXEL_FORMAT_BGRA
    NV12 = pb.PIXEL_FORMAT_NV12
    I420 = pb.PIXEL_FORMAT_I420


@dataclass(frozen=True)
class RawImage:
    """Raw pixels of a camera or a video decoder.

    width, height: pixels. stride: bytes from one row to the next (of the Y plane for NV12 and I420), 0 where rows
    follow without a gap. data: the rows, from the top.
    """

    format: PixelFormat
    width: int
    height: int
    stride: int
    data: bytes


Image = bytes | NDArray[np.uint8] | RawImage  # a JPEG, PNG or WebP file; (H, W, 3) RGB; raw pixels


def image_message(image: Image) -> pb.Image:
    """Converts a picture to its message. The content of an encoded picture is not checked, since the server does that.

    Raises TypeError for what is not a picture, ValueError for an array of another shape or type than (H, W, 3) uint8.
    """
    if isinstance(image, bytes):
        return pb.Image(encoded=image)
    if isinstance(image, RawImage):
        raw = pb.RawPixels(
            format=image.format.value, width=image.width, height=image.height, stride=image.stride, data=image.data
        )
        return pb.Image(raw=raw)
    if not isinstance(image, np.ndarray):
        raise TypeError(f"an image is bytes, a NumPy array or a RawImage, not {type(image).__name__}")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"an array of shape {image.shape} and type {image.dtype} came; expected (H, W, 3) uint8, RGB")
    height, width, _ = image.shape
    return pb.Image(raw=pb.RawPixels(format=pb.PIXEL_FORMAT_RGB, width=width, height=height, data=image.tobytes()))
