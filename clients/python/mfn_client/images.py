"""Pictures as callers have them, to the contract's message."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from mfn.v1 import retarget_pb2 as pb
from numpy.typing import NDArray


class PixelFormat(Enum):
    """Layouts of raw pixels, 8 bits a sample. RGB, RGBA, BGRA: one plane of pixels; A is ignored. NV12: a plane of Y,
    then one of U and V in turn at half the resolution. I420: planes of Y, U and V. Both are of limited range."""

    RGB = pb.PIXEL_FORMAT_RGB
    RGBA = pb.PIXEL_FORMAT_RGBA
    BGRA = pb.PIXEL_FORMAT_BGRA
    NV12 = pb.PIXEL_FORMAT_NV12
    I420 = pb.PIXEL_FORMAT_I420


@dataclass(frozen=True)
class RawImage:
    """Pixels as a camera or a decoder gives them. width, height: pixels. stride: bytes from one row to the next (of the
    Y plane for NV12 and I420), 0 where rows follow without a gap. data: the rows, from the top."""

    format: PixelFormat
    width: int
    height: int
    stride: int
    data: bytes


Image = bytes | NDArray[np.uint8] | RawImage  # a JPEG, PNG or WebP file; (H, W, 3) RGB; raw pixels


def image_message(image: Image) -> pb.Image:
    """Raises TypeError for what is no picture, ValueError for an array of another shape or type than (H, W, 3) uint8.

    An encoded picture is not looked into: what is wrong with it, the server tells.
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
