from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.vision.tile_layout import MAX_TILES, MIN_OVERLAP, Window, windows

SIDES = st.integers(1, 8000)
COUNTS = st.integers(1, MAX_TILES)


def test_one_is_the_whole_picture_only() -> None:
    assert windows(1280, 720, 1) == ()


def test_two_of_a_wide_picture_lie_side_by_side() -> None:
    """1280 / 1.75 = 731.4: more than the picture is high."""
    assert windows(1280, 720, 2) == (Window(0, 0, 732, 720), Window(548, 0, 732, 720))


def test_three_of_a_wide_picture_lie_in_two_rows() -> None:
    assert windows(1000, 600, 3) == tuple(Window(x, y, 400, 400) for y in (0, 200) for x in (0, 300, 600))


@pytest.mark.parametrize(
    ("size", "tiles"), [((400, 400), (4, 9, 16)), ((1280, 720), (2, 6, 12)), ((90, 1000), (2, 3, 4))]
)
def test_how_many_there_are(size: tuple[int, int], tiles: tuple[int, ...]) -> None:
    assert tuple(len(windows(*size, count)) for count in (2, 3, 4)) == tiles


def test_a_picture_of_one_pixel_is_not_cut() -> None:
    assert windows(1, 1, 4) == ()


@given(SIDES, SIDES, st.integers(2, MAX_TILES))
@example(1, 2, 3)  # fewer pixels than tiles
def test_tiles_cover_the_picture_and_stay_in_it(width: int, height: int, count: int) -> None:
    tiles = windows(width, height, count)
    assert len(tiles) <= count * count
    assert len({(tile.x, tile.y) for tile in tiles}) == len(tiles)
    for start, size, length in (("x", "width", width), ("y", "height", height)):
        ends = {getattr(tile, start): getattr(tile, start) + getattr(tile, size) for tile in tiles}
        if not ends:
            continue
        assert min(ends) == 0
        assert max(ends.values()) == length
        assert len(ends) <= count
        side = tiles[0].width if start == "x" else tiles[0].height
        for first, second in pairwise(sorted(ends)):
            assert ends[first] - second >= MIN_OVERLAP * side - 1  # to a pixel, since tiles begin at whole ones


@given(SIDES, SIDES, COUNTS)
def test_a_turned_picture_has_turned_tiles(width: int, height: int, count: int) -> None:
    turned = {Window(tile.y, tile.x, tile.height, tile.width) for tile in windows(height, width, count)}
    assert turned == set(windows(width, height, count))


@given(st.integers(40, 4000), st.integers(40, 4000), st.integers(2, MAX_TILES), st.randoms(use_true_random=False))
def test_what_is_as_large_as_the_overlap_lies_whole_in_a_tile(
    width: int, height: int, count: int, random: Random
) -> None:
    tiles = windows(width, height, count)
    size = np.floor(MIN_OVERLAP * max(tiles[0].width, tiles[0].height)) - 1
    x = random.uniform(0, max(0, width - size))
    y = random.uniform(0, max(0, height - size))
    right, bottom = min(width, x + size), min(height, y + size)
    assert any(
        tile.x <= x and tile.y <= y and right <= tile.x + tile.width and bottom <= tile.y + tile.height
        for tile in tiles
    )  # fmt: skip
