"""Which way eyes turn: by hand, in the head frame (x to the subject's left and the image's right, y up, z ahead)."""

import numpy as np
import pytest

from service.vision.gaze import GAZE_NAMES, eye_rotations
from training.render.eyes import eye_matrices, eyeball_centre, gaze_of_angles, turn_about

LEFT, RIGHT = 0, 1
AHEAD = np.array([0.0, 0, 1])


def gaze(**weights: float) -> np.ndarray:
    return np.array([weights.get(name, 0.0) for name in GAZE_NAMES], np.float32)


def look(angle: float) -> tuple[float, float]:
    """Sine and cosine of degrees."""
    return float(np.sin(np.radians(angle))), float(np.cos(np.radians(angle)))


@pytest.mark.parametrize(
    ("name", "eye", "expected"),
    [
        ("eyeLookOutLeft", LEFT, (look(39)[0], 0, look(39)[1])),  # to the subject's left
        ("eyeLookInLeft", LEFT, (-look(21.5)[0], 0, look(21.5)[1])),
        ("eyeLookOutRight", RIGHT, (-look(39)[0], 0, look(39)[1])),
        ("eyeLookInRight", RIGHT, (look(21.5)[0], 0, look(21.5)[1])),
        ("eyeLookDownLeft", LEFT, (0, -look(35)[0], look(35)[1])),
        ("eyeLookUpRight", RIGHT, (0, look(27.1)[0], look(27.1)[1])),
    ],
)
def test_each_coefficient_turns_its_eye_and_no_other(name: str, eye: int, expected: tuple[float, float, float]) -> None:
    matrices = eye_matrices(gaze(**{name: 1}))
    np.testing.assert_allclose(matrices[eye] @ AHEAD, expected, atol=1e-6)
    np.testing.assert_allclose(matrices[1 - eye], np.eye(3), atol=1e-9)


def test_eyeballs_turn_about_their_own_centre() -> None:
    centre = np.array([3.0, 4, 8])
    pupil = (centre + 1.5 * AHEAD)[None].astype(np.float32)
    turned = turn_about(pupil, centre, eye_matrices(gaze(eyeLookOutLeft=0.5))[LEFT])
    sine, cosine = look(19.5)
    np.testing.assert_allclose(turned, [[3 + 1.5 * sine, 4, 8 + 1.5 * cosine]], atol=1e-5)
    assert turned.dtype == np.float32


def test_the_centre_is_the_globes_whatever_the_cornea() -> None:
    rng = np.random.default_rng(0)
    direction = rng.normal(size=(800, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    bulge = 1 + 0.12 * np.clip(direction[:, 2] - 0.8, 0, None) / 0.2
    globe = np.array([3.1, 3.6, 7.9]) + 1.52 * bulge[:, None] * direction
    np.testing.assert_allclose(eyeball_centre(globe), [3.1, 3.6, 7.9], atol=1e-6)


def test_angles_become_the_gaze_that_gives_them() -> None:
    angles = np.array([[12.0, -20], [-7, 30]])
    weights = gaze_of_angles(angles)
    np.testing.assert_allclose(eye_rotations(weights), angles, atol=1e-4)
    assert ((weights > 0).reshape(4, 2).sum(0) == 2).all()  # one of Down and Up, one of In and Out for each eye


def test_what_is_beyond_an_eyes_reach_is_cut_off() -> None:
    weights = gaze_of_angles(np.array([[60.0, 50], [60, -50]]))
    np.testing.assert_allclose(eye_rotations(weights), [[39.0, 35.0], [21.5, -27.1]], atol=1e-4)
