"""Simplification: flat parts go, corners stay, both sides alike, the surface whole."""

import numpy as np

from studio.modelling.simplify import Simplifier


def ridge(size: int = 13) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A flat sheet with a ridge along y at x = 0.5 and -0.5: points (V, 3), triangles (T, 3) and mirror (V,)."""
    axis = np.linspace(-1, 1, size)
    x, y = np.meshgrid(axis, axis)
    points = np.stack([x, y, 0.5 * np.clip(1 - 6 * np.abs(np.abs(x) - 0.5), 0, 1)], axis=-1).reshape(-1, 3)
    corner = (np.arange(size - 1)[:, None] * size + np.arange(size - 1)).ravel()
    left = np.tile(np.arange(size - 1) < (size - 1) // 2, size - 1)
    a, b, c, d = corner, corner + 1, corner + size, corner + size + 1
    first = np.where(left[:, None], np.stack([a, b, c], 1), np.stack([a, b, d], 1))
    second = np.where(left[:, None], np.stack([b, d, c], 1), np.stack([a, d, c], 1))
    mirror = np.arange(size * size).reshape(size, size)[:, ::-1].ravel()
    return points, np.concatenate([first, second]), mirror


def reduced(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    points, triangles, mirror = ridge()
    frozen = (np.abs(points[:, :2]) == 1).any(1)
    simplifier = Simplifier(points[None], triangles, mirror, np.ones(len(points)), frozen)
    simplifier.reduce(range(len(points)), count)
    left = np.array(list(simplifier.triangles.values()))
    return points, left, mirror, np.unique(left)


def test_what_is_flat_goes_and_the_ridge_stays() -> None:
    points, triangles, _, kept = reduced(100)
    assert len(kept) <= 101
    a, b, c = (points[triangles[:, k]] for k in range(3))
    above = np.cross(b - a, c - a)[:, 2] / 2
    assert (above > 0).all()
    assert np.isclose(above.sum(), 4)
    assert (points[kept, 2] == points[:, 2].max()).sum() >= 4


def test_both_sides_keep_the_same() -> None:
    _, _, mirror, kept = reduced(100)
    assert set(mirror[kept]) == set(kept)


def test_frozen_vertices_stay() -> None:
    points, _, _, kept = reduced(20)
    assert set(np.flatnonzero((np.abs(points[:, :2]) == 1).any(1))) <= set(kept)
