"""What is attached to the skin moves with it."""

import numpy as np
from scipy.spatial.transform import Rotation

from studio.modelling.follow import Follower, swung

RNG = np.random.default_rng(3)


def test_a_point_moves_with_a_skin_that_moves_as_a_whole() -> None:
    skin = RNG.uniform(-1, 1, (100, 3))
    moved = Follower(RNG.uniform(-1, 1, (7, 3)), skin)(np.tile([0.1, -0.2, 0.3], (100, 1)))
    np.testing.assert_allclose(moved, np.tile([0.1, -0.2, 0.3], (7, 1)))


def test_a_point_on_a_vertex_follows_that_vertex_most() -> None:
    skin = np.array([[x, y, 0.0] for x in range(4) for y in range(4)])
    offsets = np.zeros_like(skin)
    offsets[5] = [0, 0, 1]
    assert Follower(skin[5:6], skin)(offsets)[0, 2] > 0.98


def test_a_lash_turns_with_its_lid_about_the_eye() -> None:
    turn = Rotation.from_rotvec([0.7, 0, 0])
    eye, root, tip = np.array([3.0, 3.5, 8.0]), np.array([[0, 0.6, 1.4]]), np.array([[0, 0.8, 1.9]])
    moved = swung(eye + tip, eye + root, turn.apply(root) - root, eye)
    np.testing.assert_allclose(moved, turn.apply(tip) - tip, atol=1e-12)
