"""Means, resizing and crops of pixels in any layout: held against Pillow as its users call it, and exact values."""

import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from service.vision import pillow_resampling, resampling
from service.vision.arrays import Pixels
from service.vision.resampling import Resampler, block_means, by_pillow, crop_into, mixed, resize_into

HAS_CYKOOZ = find_spec("cykooz_resizer") is not None
needs_cykooz = pytest.mark.skipif(not HAS_CYKOOZ, reason="cykooz.resizer is not made for this machine")
RESAMPLERS: list[Resampler] = [pillow_resampling]
if HAS_CYKOOZ:
    from service.vision import cykooz_resampling

    RESAMPLERS.append(cykooz_resampling)
# Grey levels that results may be off from those of exact numbers: each of two roundings, and the bits of weights, move
# a mean by half of one and a little more. Resizing rounds four times.
OFF_MEANS = 1.05
OFF_RESIZED = 2
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
@given(sides, sides, st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.sampled_from(RESAMPLERS), seeds)
def test_means_are_means(
    width: int, height: int, across: int, down: int, channels: int, by: Resampler, seed: int
) -> None:
    pixels = noise(width, height, seed, channels)
    rows, columns = range(0, height, down), range(0, width, across)
    exact = [[pixels[y : y + down, x : x + across].mean(axis=(0, 1)) for x in columns] for y in rows]
    for view in (pixels, *views(pixels)):
        np.testing.assert_allclose(by.means(view, across, down), np.array(exact), atol=OFF_MEANS)


@pytest.mark.parametrize("by", RESAMPLERS)
@pytest.mark.parametrize(("width", "height"), [(1, 2000), (2000, 1), (3, 600), (910, 257), (910, 258), (257, 257)])
def test_blocks_as_large_as_the_picture(by: Resampler, width: int, height: int) -> None:
    white = np.full((height, width, 3), 255, np.uint8)
    assert (by.means(white, width, height) >= 252).all()  # of large blocks Pillow's reciprocal has few bits left
    pixels = noise(width, height, 5)
    mean = pixels.mean(axis=(0, 1), keepdims=True)
    np.testing.assert_allclose(by.means(pixels, width, height), mean, atol=3)


def test_means_of_single_pixels_are_the_pixels() -> None:
    pixels = noise(9, 7, 3)
    assert block_means(pixels, 1, 1) is pixels
    np.testing.assert_array_equal(block_means(pixels, 3, 1), block_means(pixels[::-1], 3, 1)[::-1])


@settings(max_examples=30)
@given(sides, sides, st.integers(1, 50), st.integers(1, 50), st.sampled_from(RESAMPLERS), seeds)
def test_resizing_is_pillows(
    width: int, height: int, new_width: int, new_height: int, by: Resampler, seed: int
) -> None:
    pixels = noise(width, height, seed)
    image = Image.fromarray(pixels).resize((new_width, new_height), Image.Resampling.BILINEAR, reducing_gap=1.0)
    for view in (pixels, *views(pixels)):
        resized = by.resized(view, new_width, new_height)
        np.testing.assert_allclose(resized, np.asarray(image).astype(int), atol=OFF_RESIZED)


@needs_cykooz
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 480), (1366, 768), (640, 361), (320, 180)])
def test_a_photo_is_pillows_within_half_a_grey_level(width: int, height: int) -> None:
    photo = np.asarray(Image.fromarray(data.astronaut()).resize((width, height)))
    expected = pillow_resampling.resized(photo, 288, 162)
    assert np.abs(cykooz_resampling.resized(photo, 288, 162) - expected.astype(float)).mean() < 0.5


@settings(max_examples=10)
@given(sides, sides, st.integers(1, 50), st.integers(1, 50), seeds)
def test_nothing_is_written_beside_a_target(
    width: int, height: int, new_width: int, new_height: int, seed: int
) -> None:
    square = np.full((new_height + 2, new_width + 4, 3), GREY, np.uint8)
    resize_into(square[1:-1, 3:-1], noise(width, height, seed))
    square[1:-1, 3:-1] = GREY
    assert (square == GREY).all()


@needs_cykooz
def test_threads_do_not_disturb_each_other() -> None:
    pictures = [noise(200 + 31 * i, 150 + 17 * i, i) for i in range(8)]
    expected = [cykooz_resampling.resized(picture, 64, 48) for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda picture: cykooz_resampling.resized(picture, 64, 48), pictures * 5))
    for resized, alone in zip(found, expected * 5, strict=True):
        np.testing.assert_array_equal(resized, alone)


def load_anew() -> ModuleType:
    """service.vision.resampling, as another process would load it."""
    spec = importlib.util.spec_from_file_location("anew", resampling.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@needs_cykooz
@pytest.mark.parametrize("why", ["not installed", "another Pillow"])
def test_pillow_resamples_where_nothing_faster_can(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_anew().chosen is cykooz_resampling
    monkeypatch.delitem(sys.modules, "service.vision.cykooz_resampling")
    monkeypatch.delattr("service.vision.cykooz_resampling")
    if why == "not installed":
        monkeypatch.setitem(sys.modules, "cykooz_resizer", None)
    else:
        monkeypatch.setattr("PIL.__version__", "99.0.0")
    assert load_anew().chosen is pillow_resampling


def test_a_program_may_ask_for_pillow() -> None:
    usual = resampling.chosen
    with by_pillow():
        assert resampling.chosen is pillow_resampling
    assert resampling.chosen is usual


@settings(max_examples=30)
@given(
    st.integers(1, 200), sides, st.tuples(*[st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), offsets] * 3), seeds
)
def test_mixes_are_pillows(width: int, height: int, matrix: tuple[float, ...], seed: int) -> None:
    pixels = noise(width, height, seed)
    expected = np.asarray(Image.fromarray(pixels).convert("RGB", matrix))
    np.testing.assert_array_equal(mixed(pixels, matrix), expected)


@settings(max_examples=40)
@given(sides, sides, st.tuples(slopes, slopes, offsets, slopes, slopes, offsets), st.integers(1, 5))
def test_crops_are_pillows(width: int, height: int, transform: tuple[float, ...], shrink: int) -> None:
    a, b, c, d, e, f = transform
    pixels = noise(width, height, 7)
    few = tuple(value / shrink for value in transform)
    image = (
        Image.fromarray(pixels)
        .reduce(shrink)
        .transform((16, 12), Image.Transform.AFFINE, few, Image.Resampling.BILINEAR, fillcolor=(GREY, GREY, GREY))
    )
    for view in (pixels, *views(pixels)):
        target = np.empty((12, 16, 3), np.uint8)
        with by_pillow():
            crop_into(target, view, (a, b, c, d, e, f), shrink, GREY)
        np.testing.assert_array_equal(target, np.asarray(image))


def test_a_crop_of_means_is_of_means() -> None:
    pixels = noise(36, 28, 3)
    exact = pixels.reshape(7, 4, 9, 4, 3).mean(axis=(1, 3))
    target = np.empty((7, 9, 3), np.uint8)
    crop_into(target, pixels, (4, 0, 0, 0, 4, 0), 4, GREY)
    np.testing.assert_allclose(target, exact, atol=OFF_MEANS)


def test_a_crop_of_whole_pixels_is_exact() -> None:
    pixels = noise(9, 7, 3)
    target = np.empty((7, 9, 3), np.uint8)
    crop_into(target, pixels, (1, 0, -2, 0, 1, 1), 1, GREY)  # from 2 to the right and 1 above
    np.testing.assert_array_equal(target[:-1, 2:], pixels[1:, :-2])
    assert (target[-1] == GREY).all()
    assert (target[:, :2] == GREY).all()


@pytest.mark.parametrize("far", [1e9, -1e9, 1e300])
def test_places_far_outside_are_ground(far: float) -> None:
    target = np.empty((4, 4, 3), np.uint8)
    crop_into(target, noise(5, 5, 1), (far, 0, far, 0, far, far), 1, GREY)
    assert (target == GREY).all()
