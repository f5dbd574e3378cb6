"""Deviations of faces made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from bench.deviation import deviation
from service.vision.faces import Faces
from service.vision.gaze import no_gaze
from service.vision.rotation import euler_to_quaternion

BOXES = np.array([[100, 100, 200, 200], [300, 100, 400, 200]], np.float32)


def faces(boxes: np.ndarray = BOXES) -> Faces:
    """Upright, without identity, expressions at a quarter, at these boxes (N, 4)."""
    count = len(boxes)
    upright = np.tile(np.array([0, 0, 0, 1], np.float32), (count, 1))
    translation, scale, identity = (np.zeros((count, *width), np.float32) for width in ((3,), (), (50,)))
    quarter = np.full((count, 46), 0.25, np.float32)
    return Faces(np.ones(count, np.float32), boxes, upright, translation, scale, identity, quarter, no_gaze(count))


def test_equal_faces_do_not_deviate_whatever_their_order() -> None:
    found = deviation([faces(BOXES[::-1]), Faces.none()], [faces(), Faces.none()])
    assert (found.faces, found.expected, found.found) == (2, 2, 2)
    assert (found.iou, found.rotation, found.expression) == (1, 0, 0)


def test_means_are_over_the_faces_of_all_pictures() -> None:
    """One face of three is turned by 6 degrees, has a box of 100 x 50 in 100 x 100 and one coefficient 0.46 higher."""
    other = replace(faces(), quaternion=faces().quaternion.copy(), expression=faces().expression.copy())
    other.quaternion[0] = -euler_to_quaternion(6, 0, 0)  # the same rotation as without the sign
    other.expression[0, 7] += 0.46
    other = replace(other, box=BOXES - np.array([[0, 0, 0, 50], [0, 0, 0, 0]], np.float32))
    found = deviation([other, faces(BOXES[:1])], [faces(), faces(BOXES[:1])])
    assert found.found == 3
    assert found.iou == pytest.approx((0.5 + 1 + 1) / 3)
    assert found.rotation == pytest.approx(2, abs=1e-4)
    assert found.expression == pytest.approx(0.01 / 3)


@pytest.mark.parametrize(
    ("boxes", "count", "found"),
    [
        (BOXES[:1], 1, 1),
        (BOXES[[0, 0]] + np.array([[10], [20]], np.float32), 2, 1),  # the better one is the face, the other none
        (BOXES + 60, 2, 0),
        (np.zeros((0, 4), np.float32), 0, 0),
    ],
)
def test_faces_that_one_has_and_the_other_has_not(boxes: np.ndarray, count: int, found: int) -> None:
    measured = deviation([faces(boxes)], [faces()])
    assert (measured.faces, measured.expected, measured.found) == (count, 2, found)
    assert np.isnan(measured.rotation) == (found == 0)
