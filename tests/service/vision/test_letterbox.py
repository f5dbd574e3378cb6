import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.vision.letterbox import PAD_GREY, Letterbox

sizes = st.integers(1, 5000)


def test_wide_picture_lies_in_the_middle() -> None:
    box = Letterbox.fit(1280, 720, 288)
    assert (box.content, box.offset, box.scale) == ((288, 162), (0, 63), 0.225)


def test_small_picture_is_enlarged() -> None:
    box = Letterbox.fit(48, 96, 288)
    assert (box.content, box.offset, box.scale) == ((144, 288), (72, 0), 3.0)


def test_corners_of_the_picture_by_hand() -> None:
    box = Letterbox.fit(1280, 720, 288)
    corners = np.array([[0, 63], [288, 225], [144, 144]], np.float32)
    np.testing.assert_allclose(box.to_picture(corners), [[0, 0], [1280, 720], [640, 360]], atol=1e-4)


@given(sizes, sizes)
def test_there_and_back(width: int, height: int) -> None:
    box = Letterbox.fit(width, height, 288)
    points = np.array([[0, 0], [width, height], [width / 3, height / 7], [-5, height + 9]], np.float32)
    np.testing.assert_allclose(box.to_picture(box.to_square(points)), points, rtol=1e-4, atol=max(width, height) * 1e-5)


@given(sizes, sizes)
def test_content_is_in_the_square_and_touches_two_sides(width: int, height: int) -> None:
    box = Letterbox.fit(width, height, 288)
    assert max(box.content) == 288
    assert all(offset >= 0 and offset + size <= 288 for offset, size in zip(box.offset, box.content, strict=True))
    # centred, but for the half pixel that a whole offset may cost
    assert all(abs(2 * offset + size - 288) <= 1 for offset, size in zip(box.offset, box.content, strict=True))


def test_pixels_land_where_points_do() -> None:
    """The centroid of a bright spot in the square is where to_square says."""
    pixels = np.zeros((240, 400, 3), np.uint8)
    pixels[100:120, 300:320] = 255
    box = Letterbox.fit(400, 240, 288)
    square = box.apply(pixels)[..., 0].astype(float)
    y0, height = box.offset[1], box.content[1]
    content = square[y0 : y0 + height]
    total = content.sum()
    x = (content.sum(axis=0) * (np.arange(288) + 0.5)).sum() / total
    y = (content.sum(axis=1) * (np.arange(height) + 0.5)).sum() / total + y0
    np.testing.assert_allclose([x, y], box.to_square(np.array([310, 110], np.float32)), atol=0.05)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 5000), (5000, 1), (287, 289)])
def test_extreme_shapes_are_served(width: int, height: int) -> None:
    square = Letterbox.fit(width, height, 288).apply(np.full((height, width, 3), 200, np.uint8))
    assert square.shape == (288, 288, 3)
    assert set(np.unique(square)) <= {PAD_GREY, 200}


def test_a_reduced_picture_lands_as_the_whole_one() -> None:
    """What was decoded at half size gives the same input, within the blur of a pixel."""
    ramp = np.linspace(0, 255, 640, dtype=np.uint8)
    whole = np.broadcast_to(ramp[None, :, None], (480, 640, 3))
    half = np.ascontiguousarray(whole.reshape(240, 2, 320, 2, 3).mean(axis=(1, 3)).astype(np.uint8))
    box = Letterbox.fit(640, 480, 288)
    difference = box.apply(np.ascontiguousarray(whole)).astype(int) - box.apply(half)
    assert np.abs(difference).max() <= 2
