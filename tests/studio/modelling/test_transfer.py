"""Deformation transfer against maps that it must reproduce exactly."""

import numpy as np
from scipy.spatial.transform import Rotation

from studio.modelling.transfer import DeformationTransfer


def bumpy_grid(size: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Points (V, 3) of a curved sheet and its triangles (T, 3)."""
    x, y = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size))
    points = np.stack([x, y, 0.4 * np.cos(2 * x) * np.cos(1.5 * y)], axis=-1).reshape(-1, 3)
    corner = (np.arange(size - 1)[:, None] * size + np.arange(size - 1)).ravel()
    lower = np.stack([corner, corner + 1, corner + size], axis=1)
    upper = np.stack([corner + 1, corner + size + 1, corner + size], axis=1)
    return points, np.concatenate([lower, upper])


def bump(points: np.ndarray) -> np.ndarray:
    """Offsets (V, 3) that leave the first row still."""
    share = np.clip(points[:, 1:2] + 1, 0, None) ** 2
    x = points[:, 0]
    return np.asarray(share * np.column_stack([0.1 * np.sin(3 * x), 0.1 * x, 0.2 * np.cos(x)]))


ANCHORS = np.arange(7)  # the row of the lowest y


def test_onto_itself_a_deformation_stays_what_it_is() -> None:
    points, triangles = bumpy_grid()
    carried = DeformationTransfer(points, points, triangles, ANCHORS)(bump(points))
    np.testing.assert_allclose(carried, bump(points), atol=1e-9)


TURN = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix()


def test_a_larger_target_moves_by_as_much_more() -> None:
    points, triangles = bumpy_grid()
    carried = DeformationTransfer(points, 2.5 * points + [3, -1, 2], triangles, ANCHORS)(bump(points))
    np.testing.assert_allclose(carried, 2.5 * bump(points), atol=1e-9)


def test_it_does_not_matter_which_way_both_face() -> None:
    points, triangles = bumpy_grid()
    target = points * [1.4, 0.7, 1.8] + 0.2 * np.sin(2 * points[:, ::-1])
    plain = DeformationTransfer(points, target, triangles, ANCHORS)(bump(points))
    turned = DeformationTransfer(points @ TURN.T, target @ TURN.T, triangles, ANCHORS)(bump(points) @ TURN.T)
    np.testing.assert_allclose(turned, plain @ TURN.T, atol=1e-9)


def test_a_source_that_turns_and_grows_as_a_whole_makes_any_target_do_so() -> None:
    # The gradient is one matrix everywhere, so that a target of any shape can follow it exactly.
    points, triangles = bumpy_grid()
    target = points * [1.5, 0.7, 2.0] + 0.2 * np.sin(3 * points[:, ::-1])
    change = 1.3 * TURN - np.eye(3)
    carried = DeformationTransfer(points, target, triangles, np.array([0]))(points @ change.T)
    np.testing.assert_allclose(carried, (target - target[0]) @ change.T, atol=1e-8)


def test_anchors_stay() -> None:
    points, triangles = bumpy_grid()
    carried = DeformationTransfer(points, points * [1, 2, 1], triangles, ANCHORS)(bump(points) + 0.3)
    assert not carried[ANCHORS].any()
