"""Converts the contract's images to loaders of pictures."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, TypeVar

from mfn.v1 import retarget_pb2 as pb

from service.errors import BAD_PARAMETER, BAD_PICTURE, RequestError, too_many_bytes
from service.settings import Settings
from service.vision.image import ImageLoader, Picture, decode
from service.vision.raw_image import decode_raw
from service.vision.raw_layout import ColorMatrix, ColorRange, PixelFormat, PlaneLayout, RawLayout
from service.vision.upright import upright

PIXEL_FORMATS: Final = {
    pb.PIXEL_FORMAT_RGB: PixelFormat.RGB,
    pb.PIXEL_FORMAT_RGBA: PixelFormat.RGBA,
    pb.PIXEL_FORMAT_BGRA: PixelFormat.BGRA,
    pb.PIXEL_FORMAT_NV12: PixelFormat.NV12,
    pb.PIXEL_FORMAT_I420: PixelFormat.I420,
    pb.PIXEL_FORMAT_BGR: PixelFormat.BGR,
    pb.PIXEL_FORMAT_GRAY8: PixelFormat.GRAY8,
    pb.PIXEL_FORMAT_NV21: PixelFormat.NV21,
    pb.PIXEL_FORMAT_YUY2: PixelFormat.YUY2,
}
MATRICES: Final = {
    pb.COLOR_MATRIX_UNSPECIFIED: None,
    pb.COLOR_MATRIX_BT601: ColorMatrix.BT_601,
    pb.COLOR_MATRIX_BT709: ColorMatrix.BT_709,
}
RANGES: Final = {
    pb.COLOR_RANGE_UNSPECIFIED: None,
    pb.COLOR_RANGE_LIMITED: ColorRange.LIMITED,
    pb.COLOR_RANGE_FULL: ColorRange.FULL,
}
Value = TypeVar("Value")


def image_loader(image: pb.Image, settings: Settings) -> ImageLoader:
    """The loader of an image. Raises RequestError where there is no image, or more bytes than allowed."""
    kind = image.WhichOneof("content")
    load: ImageLoader
    if kind == "encoded":
        data = image.encoded
        if len(data) > settings.max_bytes:
            raise too_many_bytes(settings.max_bytes)
        load = partial(decode, data, max_megapixels=settings.max_megapixels)
    elif kind == "raw":
        layout = _layout_of(image.raw)
        load = partial(decode_raw, image.raw.data, layout, max_megapixels=settings.max_raw_megapixels)
    else:
        raise RequestError(BAD_PICTURE, "There is no image in the message. Set image.encoded or image.raw.")
    return upright(load, image.rotation)


def load_image(image: pb.Image, settings: Settings, side: int) -> Picture:
    """Decodes an image so that its longer side has at least `side` pixels. Raises RequestError where that fails."""
    return image_loader(image, settings)(side)


def _layout_of(raw: pb.RawPixels) -> RawLayout:
    """Raises RequestError BAD_PARAMETER for a format, a matrix or a range that there is not."""
    return RawLayout(
        pixel_format=_value(PIXEL_FORMATS, raw.format, "format", pb.PixelFormat),
        width=raw.width,
        height=raw.height,
        stride=raw.stride,
        planes=tuple(PlaneLayout(plane.offset, plane.stride) for plane in raw.planes),
        matrix=_value(MATRICES, raw.color_matrix, "color_matrix", pb.ColorMatrix),
        range=_value(RANGES, raw.color_range, "color_range", pb.ColorRange),
        bottom_up=raw.bottom_up,
    )


def _value(known: Mapping[Any, Value], number: int, field: str, names: Any) -> Value:
    """What a value of an enum stands for; enums are open in proto3, so that any number may come."""
    if number not in known:
        expected = ", ".join(names.Name(value) for value in known)
        raise RequestError(BAD_PARAMETER, f"The raw picture's {field} is {number}; expected one of {expected}.")
    return known[number]
