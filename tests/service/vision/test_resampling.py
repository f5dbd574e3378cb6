"""Means, resizing and crops of pixels in any layout: as Pillow does them when its users call it, and exact values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from service.vision.arrays import Pixels
from service.vision.resampling import block_means, block_means_into, crop_into, mixed, resize_into

GREY = 114
sides = st.integers(1, 40)
seeds = st.integers(0, 2**32 - 1)
slopes, offsets = st.floats(-3, 3), st.floats(-30, 60)


def noise(width: int, height: int, seed: int, channels: int = 3) -> Pixels:
    """Random bytes, of which half are 0 or 255."""
    random = np.random.default_rng(seed)
    pixels = random.integers(-128, 384, (height, width, channels))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def views(pixels: Pixels) -> list[Pixels]:
    """The same pixels in other layouts: upside down in memory, mirrored, and between others."""
    height, width, channels = pixels.shape
    wide = np.zeros((height, width + 3, channels), np.uint8)
    wide[:, 1:-2] = pixels
    return [pixels[::-1].copy()[::-1], pixels[:, ::-1].copy()[:, ::-1], wide[:, 1:-2]]


@settings(max_examples=30)
@given(sides, sides, st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4]), seeds)
def test_means_are_pillows(width: int, height: int, across: int, down: int, channels: int, seed: int) -> None:
    pixels = noise(width, height, seed, channels)
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[channels]
    image = Image.frombytes(mode, (width, height), pixels.tobytes())
    expected = np.asarray(image.reduce((across, down))).reshape(-(-height // down), -(-width // across), channels)
    for view in (pixels, *views(pixels)):
        np.testing.assert_array_equal(block_means(view, across, down), expected)


@settings(max_examples=30)
@given(sides, sides, st.integers(1, 5), st.integers(1, 5), st.sampled_from([2, 3, 4]), seeds)
def test_means_of_a_plane_into_a_plane(width: int, height: int, across: int, down: int, step: int, seed: int) -> None:
    between = noise(width, height, seed, step)
    expected = np.full((-(-height // down), -(-width // across), 3), GREY, np.uint8)
    target = expected.copy()
    expected[..., 1:2] = block_means(between[..., 1:2].copy(), across, down)
    block_means_into(target[..., 1:2], between[..., 1:2], across, down)
    np.testing.assert_array_equal(target, expected)


@settings(max_examples=30)
@given(sides, sides, st.integers(1, 9), st.integers(1, 9), seeds)
def test_means_are_means(width: int, height: int, across: int, down: int, seed: int) -> None:
    pixels = noise(width * across, height * down, seed)
    exact = pixels.reshape(height, down, width, across, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(block_means(pixels, across, down), exact, atol=0.7)  # a half, and its reciprocal's bits


@settings(max_examples=30)
@given(
    st.integers(1, 200), sides, st.tuples(*[st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), offsets] * 3), seeds
)
def test_mixes_are_pillows(width: int, height: int, matrix: tuple[float, ...], seed: int) -> None:
    pixels = noise(width, height, seed)
    expected = np.asarray(Image.fromarray(pixels).convert("RGB", matrix))
    np.testing.assert_array_equal(mixed(pixels, matrix), expected)


@pytest.mark.parametrize(("width", "height"), [(1, 2000), (2000, 1), (3, 600), (910, 257), (910, 258), (257, 257)])
def test_blocks_as_large_as_the_picture(width: int, height: int) -> None:
    white = np.full((height, width, 3), 255, np.uint8)
    assert (block_means(white, width, height) >= 252).all()  # of large blocks the reciprocal has few bits left
    pixels = noise(width, height, 5)
    expected = np.asarray(Image.fromarray(pixels).reduce((width, height)))
    np.testing.assert_array_equal(block_means(pixels, width, height), expected)


@settings(max_examples=30)
@given(sides, sides, st.integers(1, 50), st.integers(1, 50), seeds)
def test_resizing_is_pillows(width: int, height: int, new_width: int, new_height: int, seed: int) -> None:
    pixels = noise(width, height, seed)
    image = Image.fromarray(pixels).resize((new_width, new_height), Image.Resampling.BILINEAR, reducing_gap=1.0)
    for view in (pixels, *views(pixels)):
        square = np.full((new_height + 2, new_width + 4, 3), GREY, np.uint8)
        resize_into(square[1:-1, 3:-1], view)
        np.testing.assert_array_equal(square[1:-1, 3:-1], np.asarray(image))
        square[1:-1, 3:-1] = GREY
        assert (square == GREY).all()  # nothing is written beside the target


@settings(max_examples=30)
@given(sides, sides, st.tuples(slopes, slopes, offsets, slopes, slopes, offsets))
def test_crops_are_pillows(width: int, height: int, transform: tuple[float, ...]) -> None:
    a, b, c, d, e, f = transform
    pixels = noise(width, height, 7)
    image = Image.fromarray(pixels).transform(
        (16, 12), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR, fillcolor=(GREY, GREY, GREY)
    )
    for view in (pixels, *views(pixels)):
        target = np.empty((12, 16, 3), np.uint8)
        crop_into(target, view, (a, b, c, d, e, f), GREY)
        np.testing.assert_array_equal(target, np.asarray(image))


def test_a_crop_of_whole_pixels_is_exact() -> None:
    pixels = noise(9, 7, 3)
    target = np.empty((7, 9, 3), np.uint8)
    crop_into(target, pixels, (1, 0, -2, 0, 1, 1), GREY)  # from 2 to the right and 1 above
    np.testing.assert_array_equal(target[:-1, 2:], pixels[1:, :-2])
    assert (target[-1] == GREY).all()
    assert (target[:, :2] == GREY).all()


@pytest.mark.parametrize("far", [1e9, -1e9, 1e300])
def test_places_far_outside_are_ground(far: float) -> None:
    target = np.empty((4, 4, 3), np.uint8)
    crop_into(target, noise(5, 5, 1), (far, 0, far, 0, far, far), GREY)
    assert (target == GREY).all()
