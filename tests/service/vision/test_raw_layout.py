"""Planes of a decoder's own, colour matrices and ranges against libswscale, and rows from the bottom."""

import itertools

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange as AvRange
from av.video.reformatter import Colorspace, Interpolation
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BAD_PARAMETER, BAD_PICTURE, RequestError
from service.vision.raw_image import decode_raw
from service.vision.raw_layout import PLANES, ColorMatrix, ColorRange, PixelFormat, PlaneLayout, RawLayout

BLOCK = 16  # pixels of one colour: what chroma is interpolated from reaches 2 across the edges
SIDE = 96
NAMES = {
    PixelFormat.RGB: "rgb24",
    PixelFormat.BGR: "bgr24",
    PixelFormat.RGBA: "rgba",
    PixelFormat.BGRA: "bgra",
    PixelFormat.GRAY8: "gray",
    PixelFormat.NV12: "nv12",
    PixelFormat.NV21: "nv21",
    PixelFormat.I420: "yuv420p",
    PixelFormat.YUY2: "yuyv422",
}
SPACES = {ColorMatrix.BT_601: Colorspace.ITU601, ColorMatrix.BT_709: Colorspace.ITU709}
RANGES = {ColorRange.LIMITED: AvRange.MPEG, ColorRange.FULL: AvRange.JPEG}
COLOURED = [PixelFormat.NV12, PixelFormat.NV21, PixelFormat.I420, PixelFormat.YUY2]
ALL = 10_000  # a side that no frame here has: converted whole


def middles(pixels: np.ndarray) -> np.ndarray:
    """The mean colour (h, w, 3) of the middle of each block."""
    h, w, _ = pixels.shape
    blocks = pixels.reshape(h // BLOCK, BLOCK, w // BLOCK, BLOCK, 3)[:, 4:-4, :, 4:-4]
    means: np.ndarray = blocks.mean(axis=(1, 3))
    return means


def colours() -> np.ndarray:
    """Blocks (64, 96, 3) of random colours."""
    blocks = np.random.default_rng(3).integers(0, 256, (4, 6, 3), np.uint8)
    return blocks.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)


def frame_of(rgb: np.ndarray, pixel_format: PixelFormat, matrix: ColorMatrix, values: ColorRange) -> av.VideoFrame:
    """libswscale's frame of RGB pixels, whose rows it pads as it needs them."""
    return av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(
        format=NAMES[pixel_format],
        src_colorspace=SPACES[matrix],
        dst_colorspace=SPACES[matrix],
        src_color_range=AvRange.JPEG,
        dst_color_range=RANGES[values],
        interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND,
    )


def planes_of_frame(frame: av.VideoFrame) -> tuple[bytes, tuple[PlaneLayout, ...]]:
    """A frame's bytes, with 7 bytes before each plane, and where its planes lie."""
    data, planes = b"", []
    for plane in frame.planes:
        data += bytes(7)
        planes.append(PlaneLayout(len(data), plane.line_size))
        data += bytes(plane)
    return data, tuple(planes)


@pytest.mark.parametrize(
    ("pixel_format", "matrix", "values"),
    [*itertools.product(COLOURED, ColorMatrix, ColorRange)],
)
def test_colours_are_those_of_libswscale(pixel_format: PixelFormat, matrix: ColorMatrix, values: ColorRange) -> None:
    rgb = colours()
    frame = frame_of(rgb, pixel_format, matrix, values)
    data, planes = planes_of_frame(frame)
    back = frame.reformat(
        format="rgb24",
        src_colorspace=SPACES[matrix],
        dst_colorspace=SPACES[matrix],
        src_color_range=RANGES[values],
        dst_color_range=AvRange.JPEG,
        interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND,
    ).to_ndarray()
    layout = RawLayout(pixel_format, SIDE, 64, 0, planes, matrix, values)
    for side in (ALL, SIDE // 2):
        pixels = decode_raw(data, layout, side, 25).pixels
        factor = SIDE // pixels.shape[1]
        whole = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
        np.testing.assert_allclose(middles(whole), middles(back), atol=3)
        np.testing.assert_allclose(middles(whole), middles(rgb), atol=4)


@pytest.mark.parametrize("pixel_format", [PixelFormat.BGR, PixelFormat.RGBA, PixelFormat.BGRA])
def test_orders_of_bytes_are_those_of_libswscale(pixel_format: PixelFormat) -> None:
    rgb = colours()
    data, planes = planes_of_frame(frame_of(rgb, pixel_format, ColorMatrix.BT_601, ColorRange.FULL))
    pixels = decode_raw(data, RawLayout(pixel_format, SIDE, 64, planes=planes), ALL, 25).pixels
    np.testing.assert_array_equal(pixels, rgb)


@pytest.mark.parametrize("values", ColorRange)
def test_grey_is_that_of_libswscale(values: ColorRange) -> None:
    """As the luma of a frame: what it takes grey's own range for depends on its version."""
    level = np.arange(0, 96, dtype=np.uint8).repeat(2)[None, :, None] + np.uint8(40)
    rgb = np.broadcast_to(level, (64, 192, 3)).copy()
    luma = frame_of(rgb, PixelFormat.I420, ColorMatrix.BT_601, values).planes[0]
    layout = RawLayout(PixelFormat.GRAY8, 192, 64, luma.line_size, range=values)
    pixels = decode_raw(bytes(luma)[: 64 * luma.line_size], layout, ALL, 25).pixels
    np.testing.assert_allclose(pixels, rgb.astype(int), atol=1)


def test_grey_is_of_full_range_where_it_does_not_tell() -> None:
    pixels = decode_raw(bytes(range(256)), RawLayout(PixelFormat.GRAY8, 256, 1), ALL, 25).pixels
    np.testing.assert_array_equal(pixels, np.arange(256).reshape(1, -1, 1).repeat(3, axis=2))
    small = decode_raw(bytes([0, 20] * 128), RawLayout(PixelFormat.GRAY8, 256, 1), 128, 25).pixels
    np.testing.assert_array_equal(small, np.full((1, 128, 3), 10))


@given(
    st.sampled_from(PixelFormat),
    st.integers(1, 9),
    st.integers(1, 9),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=3),
    st.integers(0, 99),
)
def test_planes_anywhere_are_those_without_a_gap(
    pixel_format: PixelFormat, width: int, height: int, gaps: list[tuple[int, int]], seed: int
) -> None:
    """As of a decoder that pads a plane's rows and their number."""
    random = np.random.default_rng(seed)
    tight, padded, planes = b"", b"", []
    for plane, (before, after) in zip(PLANES[pixel_format], gaps, strict=False):
        row, rows = -(-width // plane.across) * plane.samples, -(-height // plane.down)
        values = random.integers(0, 256, (rows, row), np.uint8)
        tight += values.tobytes()
        padded += random.bytes(before)
        planes.append(PlaneLayout(len(padded), row + after))
        padded += np.pad(values, ((0, 2), (0, after))).tobytes()
    whole = decode_raw(tight, RawLayout(pixel_format, width, height), ALL, 25)
    for data in (padded, padded[: len(padded) - 2 * planes[-1].stride - gaps[len(planes) - 1][1]]):
        picture = decode_raw(data, RawLayout(pixel_format, width, height, planes=tuple(planes)), ALL, 25)
        np.testing.assert_array_equal(picture.pixels, whole.pixels)


@given(st.sampled_from(PixelFormat), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_rows_from_the_bottom(pixel_format: PixelFormat, width: int, height: int, side: int, seed: int) -> None:
    """Mirrored, that is, and not turned; a picture of odd height is converted before it is mirrored. RGB is shrunk only
    where its rows come from the bottom."""
    side = ALL if pixel_format is PixelFormat.RGB else side
    count = sum(-(-width // p.across) * p.samples * -(-height // p.down) for p in PLANES[pixel_format])
    data = np.random.default_rng(seed).bytes(count)
    top, bottom = (
        decode_raw(data, RawLayout(pixel_format, width, height, bottom_up=up), side, 25) for up in (False, True)
    )
    np.testing.assert_array_equal(bottom.pixels, top.pixels[::-1])
    assert (bottom.width, bottom.height) == (width, height)


def refused(layout: RawLayout, count: int) -> str:
    with pytest.raises(RequestError) as problem:
        decode_raw(bytes(count), layout, ALL, 25)
    assert problem.value.kind is BAD_PICTURE
    return problem.value.detail


def test_planes_that_do_not_fit() -> None:
    def nv12(*planes: tuple[int, int], stride: int = 0) -> RawLayout:
        return RawLayout(PixelFormat.NV12, 4, 4, stride, tuple(PlaneLayout(*plane) for plane in planes))

    assert decode_raw(bytes(24), nv12((0, 0), (16, 0)), ALL, 25).width == 4
    assert "has 16 bytes; 4 x 4 pixels in NV12 with a stride of 4 bytes take 24 (Y 16, Cb Cr 8)." in refused(nv12(), 16)
    assert "describes 1 planes; NV12 has 2: Y, Cb Cr" in refused(nv12((0, 0)), 24)
    assert "has a stride, 4 bytes, and planes" in refused(nv12((0, 0), (16, 0), stride=4), 24)
    assert "The stride is 3 bytes; a row of 2 Cb Cr takes 4" in refused(nv12((0, 0), (16, 3)), 24)
    assert "has 24 bytes; its plane Cb Cr has 2 rows of 4 bytes, 8 bytes apart, from byte 16 to 28" in refused(
        nv12((0, 0), (16, 8)), 24
    )
    assert "its plane Y has 4 rows" in refused(nv12((2**32 - 1, 2**32 - 1), (0, 0)), 24)


@pytest.mark.parametrize("pixel_format", [PixelFormat.RGB, PixelFormat.BGR, PixelFormat.RGBA, PixelFormat.BGRA])
def test_rgb_has_no_limited_range(pixel_format: PixelFormat) -> None:
    with pytest.raises(RequestError, match=f"{pixel_format.value} of limited range") as problem:
        RawLayout(pixel_format, 4, 4, range=ColorRange.LIMITED)
    assert problem.value.kind is BAD_PARAMETER
    assert RawLayout(pixel_format, 4, 4, range=ColorRange.FULL).is_full_range
