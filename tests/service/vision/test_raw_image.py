"""Raw frames against hand-computed colours, a conversion by loop in float64 and the bytes of their definitions."""

import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BAD_PICTURE, TOO_LARGE, ProblemKind, RequestError
from service.vision.crops import Crop
from service.vision.image import Picture
from service.vision.letterbox import Letterbox
from service.vision.raw_image import decode_raw
from service.vision.raw_layout import PixelFormat, RawLayout

ALL = 10_000  # a side that no frame here has: converted whole
PACKED = [PixelFormat.RGB, PixelFormat.BGR, PixelFormat.RGBA, PixelFormat.BGRA]
PLANAR = [PixelFormat.NV12, PixelFormat.NV21, PixelFormat.I420]
WITH_CHROMA = [*PLANAR, PixelFormat.YUY2]
PIXEL_BYTES = {PixelFormat.RGB: 3, PixelFormat.BGR: 3, PixelFormat.RGBA: 4, PixelFormat.BGRA: 4}
formats = st.sampled_from(PixelFormat)
Planes = tuple[np.ndarray, np.ndarray, np.ndarray]  # Y, Cb, Cr


def read(
    data: bytes | memoryview,
    width: int,
    height: int,
    pixel_format: PixelFormat,
    stride: int = 0,
    side: int = ALL,
    max_megapixels: float = 25,
) -> Picture:
    return decode_raw(data, RawLayout(pixel_format, width, height, stride), side, max_megapixels)


def refused(
    data: bytes, width: int, height: int, pixel_format: PixelFormat, stride: int = 0
) -> tuple[ProblemKind, str]:
    with pytest.raises(RequestError) as problem:
        read(data, width, height, pixel_format, stride)
    return problem.value.kind, problem.value.detail


def rows_with_garbage(plane: np.ndarray, stride: int, seed: int = 5) -> bytes:
    """The rows of a plane of bytes (rows, row), each followed by random bytes up to the stride."""
    random = np.random.default_rng(seed)
    padding = random.integers(0, 256, (len(plane), stride - plane.shape[1]), np.uint8)
    return np.hstack([plane, padding]).tobytes()


def packed(rgb: np.ndarray, pixel_format: PixelFormat, stride: int) -> bytes:
    """RGB (h, w, 3) in a packed format, alpha random: it must not matter."""
    h, w, _ = rgb.shape
    alpha = np.random.default_rng(1).integers(0, 256, (h, w, 1), np.uint8)
    pixels = {
        PixelFormat.RGB: rgb,
        PixelFormat.BGR: rgb[..., ::-1],
        PixelFormat.RGBA: np.concatenate([rgb, alpha], axis=-1),
        PixelFormat.BGRA: np.concatenate([rgb[..., ::-1], alpha], axis=-1),
    }[pixel_format]
    return rows_with_garbage(pixels.reshape(h, -1), stride or pixels.shape[-1] * w)


def planar(y: np.ndarray, cb: np.ndarray, cr: np.ndarray, pixel_format: PixelFormat, stride: int = 0) -> bytes:
    """Planes, chroma at half the size, in a format with a stride of the first plane."""
    if pixel_format is PixelFormat.YUY2:  # whose chroma has all rows
        h, w = y.shape
        even = np.pad(y, ((0, 0), (0, w % 2)))
        blue, red = (chroma.repeat(2, axis=0)[:h] for chroma in (cb, cr))
        units = np.stack([even[:, ::2], blue, even[:, 1::2], red], axis=-1).reshape(h, -1)
        return rows_with_garbage(units, stride or units.shape[1])
    luma = rows_with_garbage(y, stride or y.shape[1])
    if pixel_format in (PixelFormat.NV12, PixelFormat.NV21):
        pair = [cb, cr] if pixel_format is PixelFormat.NV12 else [cr, cb]
        interleaved = np.stack(pair, axis=-1).reshape(len(cb), -1)
        return luma + rows_with_garbage(interleaved, max(stride, interleaved.shape[1]))
    half = (stride + 1) // 2 or cb.shape[1]
    return luma + rows_with_garbage(cb, half) + rows_with_garbage(cr, half)


def yuv_planes(width: int, height: int, seed: int, low: int = 0, high: int = 256) -> Planes:
    """Random planes Y (h, w) and Cb, Cr of half the size, rounded up."""
    random = np.random.default_rng(seed)
    half = ((height + 1) // 2, (width + 1) // 2)
    y, cb, cr = (random.integers(low, high, shape, np.uint8) for shape in ((height, width), half, half))
    return y, cb, cr


def rgb_by_loop(y: np.ndarray, cb: np.ndarray, cr: np.ndarray, kr: float, kb: float) -> np.ndarray:
    """float64 RGB, clipped but not rounded, pixel by pixel from the definition of Y'CbCr in BT.601 and BT.709."""
    rgb = np.empty((*y.shape, 3))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            luma = (float(y[i, j]) - 16) / 219
            blue = luma + 2 * (1 - kb) * (float(cb[i // 2, j // 2]) - 128) / 224
            red = luma + 2 * (1 - kr) * (float(cr[i // 2, j // 2]) - 128) / 224
            green = (luma - kr * red - kb * blue) / (1 - kr - kb)
            rgb[i, j] = red, green, blue
    clipped: np.ndarray = np.clip(rgb * 255, 0, 255)
    return clipped


def yuv_of_rgb(rgb: np.ndarray, kr: float = 0.299, kb: float = 0.114) -> Planes:
    """Limited-range planes of RGB (h, w, 3) with even sides; chroma is the mean of 2 x 2 pixels."""
    red, green, blue = np.moveaxis(rgb / 255, -1, 0)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    h, w = luma.shape
    chroma = [
        (128 + 224 * (colour - luma) / (2 - 2 * k)).reshape(h // 2, 2, w // 2, 2).mean(axis=(1, 3))
        for colour, k in ((blue, kb), (red, kr))
    ]
    y, cb, cr = (np.rint(plane).astype(np.uint8) for plane in (16 + 219 * luma, *chroma))
    return y, cb, cr


@pytest.mark.parametrize("pixel_format", PACKED)
def test_bytes_of_one_pixel(pixel_format: PixelFormat) -> None:
    data = {
        PixelFormat.RGB: bytes([10, 20, 30]),
        PixelFormat.BGR: bytes([30, 20, 10]),
        PixelFormat.RGBA: bytes([10, 20, 30, 99]),
        PixelFormat.BGRA: bytes([30, 20, 10, 99]),
    }[pixel_format]
    picture = read(data, 1, 1, pixel_format)
    assert picture.pixels.tolist() == [[[10, 20, 30]]]
    assert (picture.width, picture.height) == (1, 1)


# 8-bit limited-range values of the colour bars, as published with both recommendations.
@pytest.mark.parametrize(
    ("lines", "yuv", "rgb"),
    [
        (2, (16, 128, 128), (0, 0, 0)),
        (2, (235, 128, 128), (255, 255, 255)),
        (2, (126, 128, 128), (128, 128, 128)),
        (2, (81, 90, 240), (255, 0, 0)),
        (2, (145, 54, 34), (0, 255, 0)),
        (2, (41, 240, 110), (0, 0, 255)),
        (720, (16, 128, 128), (0, 0, 0)),
        (720, (235, 128, 128), (255, 255, 255)),
        (720, (63, 102, 240), (255, 0, 0)),
        (720, (173, 42, 26), (0, 255, 0)),
        (720, (32, 240, 118), (0, 0, 255)),
        (2, (0, 128, 128), (0, 0, 0)),  # below black and above white: clipped
        (2, (255, 128, 128), (255, 255, 255)),
    ],
)
@pytest.mark.parametrize("pixel_format", WITH_CHROMA)
def test_known_colours(pixel_format: PixelFormat, lines: int, yuv: tuple[int, ...], rgb: tuple[int, ...]) -> None:
    width, half = lines + 2, (lines // 2, lines // 2 + 1)
    y, cb, cr = (
        np.full((lines, width), yuv[0], np.uint8),
        np.full(half, yuv[1], np.uint8),
        np.full(half, yuv[2], np.uint8),
    )
    for side in (ALL, width // 2):
        picture = read(planar(y, cb, cr, pixel_format), width, lines, pixel_format, side=side)
        np.testing.assert_allclose(picture.pixels.reshape(-1, 3).min(axis=0), rgb, atol=2)
        np.testing.assert_allclose(picture.pixels.reshape(-1, 3).max(axis=0), rgb, atol=2)


def test_order_of_bytes() -> None:
    """4 x 2 pixels, left half red, right half green in BT.601."""
    luma = [81, 81, 145, 145] * 2
    data = {
        PixelFormat.NV12: [*luma, 90, 240, 54, 34],  # Cb Cr of the left half, then of the right
        PixelFormat.NV21: [*luma, 240, 90, 34, 54],  # Cr Cb
        PixelFormat.I420: [*luma, 90, 54, 240, 34],  # Cb of both halves, then Cr of both
        PixelFormat.YUY2: [81, 90, 81, 240, 145, 54, 145, 34] * 2,
    }
    for pixel_format in WITH_CHROMA:
        pixels = read(bytes(data[pixel_format]), 4, 2, pixel_format).pixels
        np.testing.assert_allclose(pixels[:, :2], np.full((2, 2, 3), (255, 0, 0)), atol=2)
        np.testing.assert_allclose(pixels[:, 2:], np.full((2, 2, 3), (0, 255, 0)), atol=2)


@pytest.mark.parametrize("pixel_format", PACKED)
@given(width=st.integers(1, 20), height=st.integers(1, 20), gap=st.integers(0, 9), seed=st.integers(0, 99))
def test_packed_frames_come_back(pixel_format: PixelFormat, width: int, height: int, gap: int, seed: int) -> None:
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    stride = width * PIXEL_BYTES[pixel_format] + gap
    data = packed(rgb, pixel_format, stride)
    np.testing.assert_array_equal(read(data, width, height, pixel_format, stride).pixels, rgb)
    if gap:  # the last row may end with its pixels
        np.testing.assert_array_equal(read(data[:-gap], width, height, pixel_format, stride).pixels, rgb)


@pytest.mark.parametrize("pixel_format", WITH_CHROMA)
@given(width=st.integers(1, 15), height=st.integers(1, 15), gap=st.integers(0, 9), seed=st.integers(0, 99))
def test_frames_with_chroma_agree_with_the_loop(
    pixel_format: PixelFormat, width: int, height: int, gap: int, seed: int
) -> None:
    planes = yuv_planes(width, height, seed)
    row = 4 * ((width + 1) // 2) if pixel_format is PixelFormat.YUY2 else width
    stride = row + gap if gap else 0
    picture = read(planar(*planes, pixel_format, stride), width, height, pixel_format, stride)
    assert (picture.width, picture.height) == (width, height)
    np.testing.assert_allclose(picture.pixels, rgb_by_loop(*planes, 0.299, 0.114), atol=0.51)


@pytest.mark.parametrize(("width", "height", "matrix"), [(720, 719, "601"), (720, 720, "709"), (2, 720, "601")])
def test_matrix_goes_by_the_shorter_side(width: int, height: int, matrix: str) -> None:
    """As 1280 x 720 is taken for high definition, 720 x 1280 is; 480 x 854 is not."""
    weights = {"601": (0.299, 0.114), "709": (0.2126, 0.0722)}[matrix]
    planes = yuv_planes(width, height, 3)
    pixels = read(planar(*planes, PixelFormat.NV12), width, height, PixelFormat.NV12).pixels
    y, cb, cr = (plane[:8, :8] for plane in planes)
    np.testing.assert_allclose(pixels[:8, :8], rgb_by_loop(y, cb, cr, *weights), atol=0.51)


@pytest.mark.parametrize("pixel_format", WITH_CHROMA)
@given(width=st.integers(1, 10), height=st.integers(1, 10), seed=st.integers(0, 99))
def test_rgb_to_yuv_and_back(pixel_format: PixelFormat, width: int, height: int, seed: int) -> None:
    blocks = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    rgb = blocks.repeat(2, axis=0).repeat(2, axis=1)  # what chroma at half the size can carry
    data = planar(*yuv_of_rgb(rgb), pixel_format)
    back = read(data, 2 * width, 2 * height, pixel_format).pixels
    np.testing.assert_allclose(back, rgb.astype(int), atol=3)


@given(formats, st.integers(1, 60), st.integers(1, 60), st.integers(1, 70))
def test_longer_side_keeps_what_was_asked_for(pixel_format: PixelFormat, width: int, height: int, side: int) -> None:
    data = bytes(count_of_bytes(pixel_format, width, height))
    picture = read(data, width, height, pixel_format, side=side)
    assert (picture.width, picture.height) == (width, height)
    rows, columns, _ = picture.pixels.shape
    assert min(side, max(width, height)) <= max(rows, columns) <= max(width, height)


def count_of_bytes(pixel_format: PixelFormat, width: int, height: int) -> int:
    if pixel_format in PACKED:
        return width * height * PIXEL_BYTES[pixel_format]
    if pixel_format is PixelFormat.GRAY8:
        return width * height
    if pixel_format is PixelFormat.YUY2:
        return 4 * ((width + 1) // 2) * height
    return width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2)


@pytest.mark.parametrize("pixel_format", [*WITH_CHROMA, PixelFormat.BGR, PixelFormat.RGBA, PixelFormat.BGRA])
@pytest.mark.parametrize("factor", [2, 3, 4, 5, 8])
def test_a_smaller_frame_is_the_mean_of_the_whole_one(pixel_format: PixelFormat, factor: int) -> None:
    width, height = 240, 120
    rgb = np.random.default_rng(2).integers(40, 216, (height // 2, width // 2, 3), np.uint8)
    rgb = rgb.repeat(2, axis=0).repeat(2, axis=1)
    planes = pixel_format in WITH_CHROMA
    data = planar(*yuv_of_rgb(rgb), pixel_format) if planes else packed(rgb, pixel_format, 0)
    small = read(data, width, height, pixel_format, side=width // factor).pixels
    used = factor - factor % 2 if planes else factor
    assert small.shape == (height // used, width // used, 3)
    mean = rgb.reshape(height // used, used, width // used, used, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small, mean, atol=4)  # means round twice, and Cb counts 2.0 times in blue


def test_rgb_is_not_copied() -> None:
    data = packed(np.zeros((4, 5, 3), np.uint8), PixelFormat.RGB, 17)
    pixels = read(data, 5, 4, PixelFormat.RGB, 17).pixels
    assert np.shares_memory(pixels, np.frombuffer(data, np.uint8))


@pytest.mark.parametrize("pixel_format", PixelFormat)
def test_views_of_memory_are_read_too(pixel_format: PixelFormat) -> None:
    data = np.random.default_rng(0).integers(0, 256, 3 + count_of_bytes(pixel_format, 6, 4), np.uint8).tobytes()
    whole = read(data[3:], 6, 4, pixel_format)
    np.testing.assert_array_equal(read(memoryview(data)[3:], 6, 4, pixel_format).pixels, whole.pixels)


@pytest.mark.parametrize("pixel_format", [*PACKED, *WITH_CHROMA])
@pytest.mark.parametrize("gap", [0, 7])
def test_later_steps_take_the_pixels_as_they_are(pixel_format: PixelFormat, gap: int) -> None:
    """A letterbox and a turned crop see the same in a strided view as in a copy of it."""
    width, height = 150, 90
    stride = width * {**PIXEL_BYTES, PixelFormat.YUY2: 2}.get(pixel_format, 1) + gap
    rgb = np.random.default_rng(0).integers(0, 256, (height // 2, width // 2, 3), np.uint8)
    rgb = rgb.repeat(2, axis=0).repeat(2, axis=1)
    yuv = pixel_format in WITH_CHROMA
    data = planar(*yuv_of_rgb(rgb), pixel_format, stride) if yuv else packed(rgb, pixel_format, stride)
    picture = read(data, width, height, pixel_format, stride)
    copy = Picture(picture.pixels.copy(), width, height)
    box = Letterbox.fit(width, height, 64)
    np.testing.assert_array_equal(box.apply(picture.pixels), box.apply(copy.pixels))
    crop = Crop(np.array([70.0, 40.0]), 60.0, 30.0)
    np.testing.assert_array_equal(crop.sample(picture), crop.sample(copy))


@pytest.mark.parametrize(("width", "height"), [(0, 4), (4, 0), (-4, 4), (4, -4), (-2, -2), (0, 0)])
@pytest.mark.parametrize("pixel_format", PixelFormat)
def test_sizes_below_one_are_refused(pixel_format: PixelFormat, width: int, height: int) -> None:
    kind, detail = refused(bytes(48), width, height, pixel_format)
    assert kind is BAD_PICTURE
    assert f"{width} x {height}" in detail
    assert "at least 1" in detail


@pytest.mark.parametrize(
    ("pixel_format", "stride"),
    [
        (PixelFormat.RGB, 11),
        (PixelFormat.RGBA, 15),
        (PixelFormat.BGRA, 15),
        (PixelFormat.NV12, 3),
        (PixelFormat.I420, 3),
        (PixelFormat.YUY2, 7),
        (PixelFormat.GRAY8, 3),
        (PixelFormat.RGB, -12),
    ],
)
def test_stride_below_a_row_is_refused(pixel_format: PixelFormat, stride: int) -> None:
    kind, detail = refused(bytes(1000), 4, 4, pixel_format, stride)
    assert kind is BAD_PICTURE
    assert f"stride is {stride} bytes" in detail


@pytest.mark.parametrize(
    ("pixel_format", "stride", "needed"),
    [
        (PixelFormat.RGB, 0, 5 * 3 * 3),
        (PixelFormat.RGBA, 0, 5 * 4 * 3),
        (PixelFormat.BGRA, 24, 24 * 3),
        (PixelFormat.NV12, 0, 5 * 3 + 6 * 2),  # a chroma row is 3 pairs: a byte more than a luma row
        (PixelFormat.NV12, 8, 8 * 3 + 8 * 2),
        (PixelFormat.NV21, 0, 5 * 3 + 6 * 2),
        (PixelFormat.YUY2, 0, 12 * 3),  # an odd row ends with a whole unit
        (PixelFormat.GRAY8, 0, 5 * 3),
        (PixelFormat.I420, 0, 5 * 3 + 2 * 3 * 2),
        (PixelFormat.I420, 9, 9 * 3 + 2 * 5 * 2),
    ],
)
def test_odd_sizes_take_the_bytes_of_their_rounded_planes(pixel_format: PixelFormat, stride: int, needed: int) -> None:
    assert read(bytes(needed), 5, 3, pixel_format, stride).pixels.shape == (3, 5, 3)
    for count in (needed - 14, needed + 1, 0):
        kind, detail = refused(bytes(count), 5, 3, pixel_format, stride)
        assert kind is BAD_PICTURE
        assert f"has {count} bytes" in detail
        assert re.search(rf"take {needed}( \(|\.)", detail)
        assert pixel_format.value in detail


def test_limit_is_inclusive_and_comes_first() -> None:
    assert read(bytes(200 * 100 * 3), 200, 100, PixelFormat.RGB, max_megapixels=0.02).width == 200
    with pytest.raises(RequestError) as problem:
        read(b"", 200, 101, PixelFormat.RGB, max_megapixels=0.02)
    assert problem.value.kind is TOO_LARGE
    assert "200 x 101 = 0.0 megapixels" in problem.value.detail


@pytest.mark.parametrize("pixel_format", PixelFormat)
def test_huge_claims_cost_nothing(pixel_format: PixelFormat) -> None:
    tracemalloc.start()
    kinds = [
        refused(bytes(100), 2**31 - 1, 2**31 - 1, pixel_format)[0],
        refused(bytes(100), 5000, 5000, pixel_format)[0],
        refused(bytes(100), 4, 4, pixel_format, 2**31 - 1)[0],
    ]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kinds == [TOO_LARGE, BAD_PICTURE, BAD_PICTURE]
    assert peak < 1e6


@pytest.mark.parametrize("pixel_format", PixelFormat)
@pytest.mark.parametrize(("width", "height"), [(200_000, 1), (1, 200_000)])
def test_thin_frames_are_no_trouble(pixel_format: PixelFormat, width: int, height: int) -> None:
    picture = read(bytes(count_of_bytes(pixel_format, width, height)), width, height, pixel_format, side=288)
    assert max(picture.pixels.shape) >= 288
    assert Letterbox.fit(width, height, 288).apply(picture.pixels).shape == (288, 288, 3)


sizes = st.integers(-3, 40) | st.integers(-(2**31), 2**31 - 1)


@given(st.binary(max_size=300), sizes, sizes, sizes, formats, st.integers(1, 300))
def test_nothing_but_the_two_problems_comes_out(
    data: bytes, width: int, height: int, stride: int, pixel_format: PixelFormat, side: int
) -> None:
    try:
        pixels = read(data, width, height, pixel_format, stride, side).pixels
    except RequestError as problem:
        kind, detail = problem.kind, problem.detail
    else:
        assert pixels.dtype == np.uint8
        assert pixels.shape[2] == 3
        return
    assert kind in (BAD_PICTURE, TOO_LARGE)
    assert re.search(r"(Set|Send|Scale) .*\.$", detail)
