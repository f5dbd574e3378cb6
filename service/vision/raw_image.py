"""Converts a raw frame of a live stream to RGB pixels.

Encoded frames (JPEG, PNG, WebP, AVIF) go through service.vision.image.decode instead.
"""

from typing import Final

import numpy as np

from service.errors import BAD_PICTURE, TOO_LARGE, RequestError
from service.vision.arrays import Pixels
from service.vision.image import Picture
from service.vision.raw_layout import ColorMatrix, PixelFormat, RawLayout, planes_of
from service.vision.resampling import block_means, mixed

# Most raw frames do not tell their colour matrix. Video players assume BT.601 for standard definition and BT.709 for
# high definition, which begins at 720 lines. Lines are counted along the shorter side, since phones are also held
# upright.
HD_LINES: Final = 720
# Of the formats without chroma: where red, green and blue are among a pixel's samples.
RGB_SAMPLES: Final = {
    PixelFormat.RGB: slice(3),
    PixelFormat.BGR: slice(None, None, -1),
    PixelFormat.RGBA: slice(3),
    PixelFormat.BGRA: slice(2, None, -1),
}


def decode_raw(data: bytes | memoryview, layout: RawLayout, side: int, max_megapixels: float) -> Picture:
    """Converts a raw frame; its longer side keeps at least `side` pixels (or all that it has).

    Where a whole fraction of the size is enough, pixels are averaged before they are converted. The conversion is
    linear, so this gives the same picture in a fraction of the time. An RGB frame is not copied, nor is another one
    without chroma that is not shrunk: the pixels are a view of data.
    Raises RequestError: TOO_LARGE above max_megapixels, BAD_PICTURE for sizes that do not fit together.
    """
    width, height = layout.width, layout.height
    _check_size(width, height, max_megapixels)
    views = [plane.view(data) for plane in planes_of(layout, memoryview(data).nbytes)]
    shrink = max(1, max(width, height) // side)
    first = views[0]
    if layout.pixel_format in RGB_SAMPLES:
        # The letterbox or crop that follows shrinks RGB just as fast, where its rows are in order.
        if layout.pixel_format is not PixelFormat.RGB or layout.bottom_up:
            first = block_means(first, shrink, shrink)
        pixels = first[..., RGB_SAMPLES[layout.pixel_format]]
    elif layout.pixel_format is PixelFormat.GRAY8:
        pixels = _rgb_of_grey(block_means(first, shrink, shrink), layout.is_full_range)
    else:
        pixels = mixed(_yuv_of(layout, views, shrink), _matrix_of(layout))
    return Picture(pixels[::-1] if layout.bottom_up else pixels, width, height)


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
            f"at most {max_megapixels:g} are allowed of raw pixels. Scale it down.",
        )


def _rgb_of_grey(grey: Pixels, is_full_range: bool) -> Pixels:
    """Grey (h, w, 1) as RGB."""
    if not is_full_range:
        levels = [round(min(255.0, max(0.0, (value - 16) * 255 / 219))) for value in range(256)]
        grey = np.array(levels, np.uint8)[grey]
    return np.repeat(grey, 3, axis=2)


def _yuv_of(layout: RawLayout, views: list[Pixels], shrink: int) -> Pixels:
    """Luma, Cb and Cr (H, W, 3) of a frame whose chroma has half the columns, and half the rows or all of them; H and W
    are the frame's at 1 / shrink.

    An odd factor is lowered to the next even one, so that luma and chroma shrink to the same size.
    """
    luma, *chroma = views
    if layout.pixel_format is PixelFormat.YUY2:
        luma, chroma = luma.reshape(len(luma), -1, 1)[:, : 2 * layout.width : 2], [luma[..., 1::2]]
    down = -(-len(luma) // len(chroma[0]))  # rows of luma to one of chroma: 2, or 1
    factor = max(1, shrink - shrink % 2)
    if factor > 1:
        luma = block_means(luma, factor, factor)
        chroma = [block_means(plane, factor // 2, factor // down) for plane in chroma]
    yuv = np.empty((*luma.shape[:2], 3), np.uint8)
    yuv[..., :1] = luma
    samples = [plane[..., i : i + 1] for plane in chroma for i in range(plane.shape[2])]
    order = (2, 1) if layout.pixel_format is PixelFormat.NV21 else (1, 2)
    for channel, sample in zip(order, samples, strict=True):
        plane = yuv[..., channel : channel + 1]
        if factor > 1:
            plane[:] = sample
            continue
        for row in range(down):  # a sample counts for several pixels, fewer at an odd edge
            for column in range(2):
                pixels = plane[row::down, column::2]
                pixels[:] = sample[: pixels.shape[0], : pixels.shape[1]]
    return yuv


def _matrix_of(layout: RawLayout) -> tuple[float, ...]:
    """The matrix of 3 x 4 weights, row by row, from Y, Cb, Cr and 1 to R, G and B in 0 to 255.

    By definition luma is kr R + kg G + kb B, and Cb and Cr are B - luma and R - luma, scaled to half of the full range.
    """
    usual = ColorMatrix.BT_709 if min(layout.width, layout.height) >= HD_LINES else ColorMatrix.BT_601
    kr, kb = (layout.matrix or usual).value
    kg = 1 - kr - kb
    # In limited range luma has 219 steps from 16 on, chroma 224 steps around 128.
    y, c, black = (1.0, 1.0, 0) if layout.is_full_range else (255 / 219, 255 / 224, 16)
    rows = (
        (y, 0.0, 2 * c * (1 - kr)),
        (y, -2 * c * (1 - kb) * kb / kg, -2 * c * (1 - kr) * kr / kg),
        (y, 2 * c * (1 - kb), 0.0),
    )
    return tuple(weight for row in rows for weight in (*row, -black * row[0] - 128 * (row[1] + row[2])))
