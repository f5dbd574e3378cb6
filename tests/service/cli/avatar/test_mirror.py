import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.cli.avatar.mirror import mirror_blendshapes, mirror_gaze, mirror_quaternion
from service.vision.arkit import ARKIT_NAMES, GAZE
from service.vision.rotation import euler_to_quaternion, quaternion_to_euler, quaternion_to_matrix


def one(name: str) -> np.ndarray:
    weights = np.zeros(52, np.float32)
    weights[ARKIT_NAMES.index(name)] = 1
    return weights


def test_left_and_right_change_places() -> None:
    for name, other in (
        ("eyeBlinkLeft", "eyeBlinkRight"),
        ("mouthSmileRight", "mouthSmileLeft"),
        ("jawLeft", "jawRight"),
        ("mouthRight", "mouthLeft"),
        ("jawOpen", "jawOpen"),
        ("browInnerUp", "browInnerUp"),
        ("eyeLookInLeft", "eyeLookInRight"),
    ):
        np.testing.assert_array_equal(mirror_blendshapes(one(name)), one(other))


def test_an_eye_that_looks_toward_the_nose_still_does() -> None:
    """And the gaze is mirrored as the blendshapes that carry it."""
    gaze = np.arange(8, dtype=np.float32)[None]  # down, in, out and up, left before right
    np.testing.assert_array_equal(mirror_gaze(gaze), [[1, 0, 3, 2, 5, 4, 7, 6]])
    weights = np.random.default_rng(0).random((3, 52))
    np.testing.assert_array_equal(mirror_blendshapes(weights)[:, GAZE], mirror_gaze(weights[:, GAZE]))


def test_twice_mirrored_is_the_same() -> None:
    weights = np.random.default_rng(0).random((3, 52))
    np.testing.assert_array_equal(mirror_blendshapes(mirror_blendshapes(weights)), weights)


@given(st.floats(-89, 89), st.floats(-89, 89), st.floats(-89, 89))
def test_mirrored_turns(yaw: float, pitch: float, roll: float) -> None:
    quaternion = euler_to_quaternion(yaw, pitch, roll)
    mirrored = mirror_quaternion(quaternion)
    mirror = np.diag([-1, 1, 1])
    expected = mirror @ quaternion_to_matrix(quaternion) @ mirror
    np.testing.assert_allclose(quaternion_to_matrix(mirrored), expected, atol=1e-12)
    np.testing.assert_allclose([float(a) for a in quaternion_to_euler(mirrored)], [-yaw, pitch, -roll], atol=1e-5)
