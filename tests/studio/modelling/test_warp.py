"""Warps: what they hold still, what they scale, that both sides are alike."""

import numpy as np

from studio.modelling.warp import Bulge, EyePlacement, Warp

CENTRES = np.array([[3.0, 3.5, 8.0], [-3.0, 3.5, 8.0]])
MIRROR = np.array([-1.0, 1, 1])
BULGE = Bulge(at=[2.0, -3.0, 9.0], reach=[3.0, 4.0, 5.0], scale=1.4, move=[0.5, -1.0, 2.0])


def points(count: int = 200) -> np.ndarray:
    return np.random.default_rng(1).uniform(-10, 10, (count, 3))


def test_a_bulge_moves_its_point_fully_and_nothing_from_its_reach_on() -> None:
    np.testing.assert_allclose(BULGE(np.array([[2.0, -3.0, 9.0]])), [[0.5, -1.0, 2.0]])
    assert not BULGE(np.array([[5.1, -3.0, 9.0], [2.0, 1.1, 9.0], [2.0, -3.0, 14.1]])).any()


def test_both_sides_are_alike() -> None:
    warp = Warp(CENTRES, 1.5, [BULGE], EyePlacement(scale=1.5, move=[0.4, 0.1, -0.5], tilt=12))
    np.testing.assert_allclose(warp(points() * MIRROR), warp(points()) * MIRROR, atol=1e-12)


def test_lids_stay_on_their_scaled_eyeball_though_bulges_reach_them() -> None:
    near = Bulge(at=[3.0, 3.5, 9.0], reach=6.0, scale=1.3, move=[0.3, 0.2, 0.1])
    warp = Warp(CENTRES, 1.5, [near], EyePlacement(scale=1.6, move=[0.2, 0.0, -1.0], tilt=20))
    direction = points(50)
    lid = CENTRES[0] + 1.5 * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    distance = np.linalg.norm(warp(lid) - warp.eye_centres()[0], axis=1)
    np.testing.assert_allclose(distance, 1.6 * 1.5)


def test_the_jacobian_is_that_of_a_known_map() -> None:
    warp = Warp(CENTRES, 1.5)
    np.testing.assert_allclose(warp.jacobian(points(5)), np.tile(np.eye(3), (5, 1, 1)), atol=1e-9)
