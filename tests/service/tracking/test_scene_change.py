import numpy as np
import pytest

from service.tracking.scene_change import SceneThumbnail
from service.vision.image import Picture

NOBODY = np.zeros((0, 4))
FACE = np.array([[500.0, 200, 600, 320]])


def thumbnail(pixels: np.ndarray, width: int = 1280, height: int = 720) -> SceneThumbnail:
    return SceneThumbnail.of(Picture(np.clip(pixels, 0, 255).astype(np.uint8), width, height))


def room(seed: int = 0) -> np.ndarray:
    """1280 x 720: soft shades and hard edges."""
    random = np.random.default_rng(seed)
    return np.kron(random.uniform(30, 200, (9, 16, 3)), np.ones((80, 80, 1)))


def with_patch(pixels: np.ndarray, x: int, y: int, side: int, by: float = 60) -> np.ndarray:
    changed = pixels.copy()
    changed[y : y + side, x : x + side] += by
    return changed


def test_cells_are_means() -> None:
    """Of a slope that rises by 100 to the right and by 50 downward."""
    y, x = np.mgrid[0:720, 0:1280]
    grid = thumbnail(np.repeat((x / 12.8 + y / 14.4)[..., None], 3, axis=-1)).cells
    expected = (np.arange(32) + 0.5) / 32 * 100 + (np.arange(18)[:, None] + 0.5) / 18 * 50
    np.testing.assert_allclose(grid, expected, atol=1.5)


def test_a_cameras_noise_is_no_change() -> None:
    random = np.random.default_rng(1)
    noisy = (room() + random.normal(0, 8, (720, 1280, 3)) for _ in range(2))
    assert not thumbnail(next(noisy)).differs(thumbnail(next(noisy)), NOBODY)


@pytest.mark.parametrize("light", [-25, 25])
def test_light_is_no_change(light: float) -> None:
    assert not thumbnail(room() + light).differs(thumbnail(room()), NOBODY)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (1230, 660), (640, 100)])
def test_something_as_large_as_a_face_is_one(x: int, y: int) -> None:
    assert thumbnail(with_patch(room(), x, y, 50)).differs(thumbnail(room()), NOBODY)


def test_faces_and_what_moves_with_them_are_left_out() -> None:
    for x, y in ((510, 220), (470, 170), (440, 500), (620, 600)):  # face, hair, shoulders
        moved = thumbnail(with_patch(room(), x, y, 50))
        assert not moved.differs(thumbnail(room()), FACE)
        assert moved.differs(thumbnail(room()), NOBODY)
    assert thumbnail(with_patch(room(), 800, 220, 50)).differs(thumbnail(room()), FACE)


def test_a_face_over_everything_leaves_nothing_to_change() -> None:
    assert not thumbnail(room(1)).differs(thumbnail(room(2)), np.array([[-100.0, -100, 2000, 2000]]))


def test_faces_past_the_edges_are_no_matter() -> None:
    away = np.array([[-900.0, -900, -800, -800], [5000, 5000, 5100, 5100]])
    assert thumbnail(with_patch(room(), 640, 100, 50)).differs(thumbnail(room()), away)


def test_a_picture_decoded_smaller_has_the_same_cells() -> None:
    half = thumbnail(room()[::2, ::2])
    np.testing.assert_allclose(half.cells, thumbnail(room()).cells, atol=1)
    assert not half.differs(thumbnail(room()), FACE)


def test_another_shape_is_a_change() -> None:
    assert thumbnail(room()[:400], 1280, 400).differs(thumbnail(room()), NOBODY)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 5)])
def test_any_picture_has_cells(shape: tuple[int, int]) -> None:
    height, width = shape
    grid = thumbnail(np.full((*shape, 3), 9.0), width, height)
    assert grid.cells.min() == grid.cells.max() == 9
    assert not grid.differs(grid, np.array([[0.0, 0, 1, 1]]))
