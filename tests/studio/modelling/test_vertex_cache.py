"""The order of a mesh for the GPU: the same surface, and fewer vertices transformed a triangle."""

from collections import deque

import numpy as np

from studio.modelling.vertex_cache import cache_order, fetch_order


def grid(size: int) -> np.ndarray:
    """(T, 3) triangles of a square sheet, row by row."""
    a = (np.arange(size - 1)[:, None] * size + np.arange(size - 1)).ravel()
    b, c, d = a + 1, a + size, a + size + 1
    return np.stack([a, b, c, c, b, d], axis=1).reshape(-1, 3)


def scattered(triangles: np.ndarray) -> np.ndarray:
    """Triangles in a random order, each beginning at a random corner."""
    rng = np.random.default_rng(5)
    turned = [np.roll(triangle, rng.integers(3)) for triangle in triangles]
    return np.array(turned)[rng.permutation(len(triangles))]


def misses(triangles: np.ndarray, size: int) -> float:
    """Vertices transformed a triangle behind a first-in, first-out cache of a size."""
    cache: deque[int] = deque(maxlen=size)
    missed = 0
    for vertex in triangles.ravel().tolist():
        if vertex not in cache:
            cache.append(vertex)
            missed += 1
    return missed / len(triangles)


def oriented(triangles: np.ndarray) -> list[tuple[int, ...]]:
    """Triangles without an order, each from its smallest vertex on: they are equal where the winding is."""
    return sorted(tuple(np.roll(triangle, -int(triangle.argmin())).tolist()) for triangle in triangles)


def test_the_surface_stays_the_same() -> None:
    triangles = scattered(grid(12))
    assert oriented(cache_order(triangles)) == oriented(triangles)


def test_few_vertices_are_transformed_twice() -> None:
    for triangles in (grid(60), scattered(grid(60))):
        ordered = cache_order(triangles)
        assert misses(triangles, 16) > 0.99  # in rows that are longer than the cache each vertex is needed twice
        assert misses(ordered, 16) < 0.75  # the least is 0.5: as many vertices as half the triangles
        assert misses(ordered, 32) < 0.7


def test_parts_that_do_not_touch_are_all_kept() -> None:
    triangles = np.concatenate([grid(4), grid(3) + 16])
    assert oriented(cache_order(triangles)) == oriented(triangles)


def test_the_order_does_not_depend_on_chance() -> None:
    triangles = scattered(grid(20))
    np.testing.assert_array_equal(cache_order(triangles), cache_order(triangles.copy()))


def test_vertices_come_in_order_of_first_use_and_unused_ones_go() -> None:
    vertices, triangles = fetch_order(np.array([[7, 2, 9], [9, 2, 4]]))
    assert vertices.tolist() == [7, 2, 9, 4]
    assert triangles.tolist() == [[0, 1, 2], [2, 1, 3]]
