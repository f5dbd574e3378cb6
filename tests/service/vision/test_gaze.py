import numpy as np
import pytest

from service.vision.gaze import GAZE_NAMES, eye_rotations, has_gaze, no_gaze


def gaze_of(**weights: float) -> np.ndarray:
    """By names without eyeLook, as DownLeft."""
    gaze = np.zeros(8, np.float32)
    for name, weight in weights.items():
        gaze[GAZE_NAMES.index(f"eyeLook{name}")] = weight
    return gaze


# yaw and pitch of the left eye, then of the right one; degrees, computed by hand
@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({}, [[0, 0], [0, 0]]),
        ({"DownLeft": 1, "DownRight": 0.5}, [[0, 35], [0, 17.5]]),
        ({"UpLeft": 0.5, "UpRight": 1}, [[0, -13.55], [0, -27.1]]),
        ({"DownLeft": 0.4, "UpLeft": 0.4}, [[0, 3.16], [0, 0]]),
        ({"OutLeft": 1, "InRight": 1}, [[39, 0], [21.5, 0]]),  # both to the subject's left
        ({"InLeft": 0.5, "OutRight": 0.5}, [[-10.75, 0], [-19.5, 0]]),  # both to the right
        ({"InLeft": 1, "InRight": 1}, [[-21.5, 0], [21.5, 0]]),  # at the nose
        ({"OutLeft": 0.2, "UpLeft": 0.1}, [[7.8, -2.71], [0, 0]]),
    ],
)
def test_rotations_by_hand(weights: dict[str, float], expected: list[list[float]]) -> None:
    np.testing.assert_allclose(eye_rotations(gaze_of(**weights)), expected, atol=1e-5)


def test_rotations_of_many_at_once() -> None:
    gaze = np.stack([gaze_of(OutLeft=1), no_gaze(1)[0], gaze_of(DownRight=1)])
    rotations = eye_rotations(gaze)
    assert rotations.shape == (3, 2, 2)
    assert rotations.dtype == np.float32
    np.testing.assert_array_equal(rotations[0], eye_rotations(gaze[0]))
    assert np.isnan(rotations[1]).all()
    np.testing.assert_array_equal(has_gaze(gaze), [True, False, True])


def test_nobody() -> None:
    assert no_gaze(0).shape == (0, 8)
    assert no_gaze(0).dtype == np.float32
    assert has_gaze(no_gaze(0)).shape == (0,)
    assert eye_rotations(no_gaze(0)).shape == (0, 2, 2)
