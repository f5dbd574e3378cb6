"""What the compiled functions refuse; tests/service/vision/test_resampling.py holds their bytes against Pillow's."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from service import __version__

mfn_pixels = pytest.importorskip("mfn_pixels", reason="mfn-retarget-pixels is missing: pip install ./native")
RGB, SAME = np.zeros((6, 8, 3), np.uint8), np.zeros((6, 8, 3), np.uint8)
ROOT = Path(__file__).resolve().parents[2]
PLACES = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def resize(source: np.ndarray, target: np.ndarray) -> None:
    mfn_pixels.resize(source, target, float(source.shape[1]), float(source.shape[0]))


def crop(source: np.ndarray, target: np.ndarray) -> None:
    mfn_pixels.crop(source, target, PLACES)


def mix(source: np.ndarray, target: np.ndarray) -> None:
    mfn_pixels.mix(source, target, (1.0,) * 12)


def means(source: np.ndarray, target: np.ndarray) -> None:
    mfn_pixels.block_means(source, target, 1, 1)


@pytest.mark.parametrize("function", [means, mix, resize, crop])
@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((6, 8), np.uint8),
        np.zeros((6, 8, 5), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros((6, 8, 3), np.float32),
        np.zeros((6, 16, 3), np.uint8)[:, ::2],  # a pixel every six bytes
        np.zeros((6, 8, 3), np.uint8)[..., ::-1],
    ],
)
def test_no_pixels_in_rows(function: Callable[..., None], wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="source: expected bytes"):
        function(wrong, SAME)
    with pytest.raises(ValueError, match="target: expected bytes"):
        function(RGB, wrong)


@pytest.mark.parametrize("function", [means, mix, resize, crop])
def test_other_channels(function: Callable[..., None]) -> None:
    with pytest.raises(ValueError, match="the same channels"):
        function(RGB, np.zeros((6, 8, 4), np.uint8))


@pytest.mark.parametrize("function", [mix, resize, crop])
def test_grey(function: Callable[..., None]) -> None:
    with pytest.raises(ValueError, match=r"RGB without gaps|three channels"):
        function(RGB[..., :1].copy(), SAME[..., :1].copy())


@pytest.mark.parametrize("function", [resize, crop])
def test_gaps_between_pixels(function: Callable[..., None]) -> None:
    for source, target in (
        (np.zeros((6, 8, 4), np.uint8)[..., :3], SAME),
        (RGB, np.zeros((6, 8, 4), np.uint8)[..., :3]),
    ):
        with pytest.raises(ValueError, match="RGB without gaps"):
            function(source, target)


def test_mixes_of_another_size() -> None:
    with pytest.raises(ValueError, match="the same size"):
        mix(RGB, SAME[1:])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        mfn_pixels.mix(RGB, SAME, (value, *[1.0] * 11))


@pytest.mark.parametrize("function", [means, mix, resize, crop])
def test_a_target_that_cannot_be_written(function: Callable[..., None]) -> None:
    fixed = np.zeros_like(SAME)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        function(RGB, fixed)


@pytest.mark.parametrize(("across", "down"), [(0, 1), (1, 0), (-1, 2), (1, 258), (2**24, 2), (2**31 - 1, 1)])
def test_blocks_of_no_size(across: int, down: int) -> None:
    with pytest.raises(ValueError, match="blocks must have"):
        mfn_pixels.block_means(RGB, SAME, across, down)


@pytest.mark.parametrize(("across", "down"), [(2, 1), (1, 2), (3, 3)])
def test_a_target_of_another_size(across: int, down: int) -> None:
    with pytest.raises(ValueError, match="a pixel for each block"):
        mfn_pixels.block_means(RGB, SAME, across, down)


@pytest.mark.parametrize(("width", "height"), [(7.0, 6.0), (8.5, 6.0), (8.0, 0.0), (float("nan"), 6.0), (8.0, 1e30)])
def test_an_extent_beyond_the_source(width: float, height: float) -> None:
    with pytest.raises(ValueError, match="within the source's last pixel"):
        mfn_pixels.resize(RGB, SAME, width, height)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_places_that_are_nowhere(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        mfn_pixels.crop(RGB, SAME, (1.0, 0.0, value, 0.0, 1.0, 0.0))


def test_it_has_the_servers_version() -> None:
    project = tomllib.loads((ROOT / "native/pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__
