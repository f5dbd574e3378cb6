"""Boxes whose place about their points is known."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("cv2")

from service.vision.rotation import euler_to_quaternion
from training.data.archives import (
    BOX_HEIGHT_OVER_POINTS,
    BOX_SHIFT_UP,
    BOX_WIDTH_OVER_POINTS,
    box_of_points,
)
from training.data.faces import FaceLabels
from training.labels.box_statistics import Measures, frontal, measure, told


def test_a_box_drawn_by_hand_is_measured() -> None:
    """Points from 10 to 30 across and 20 to 70 down; a box 25 wide and 60 high about (18, 40)."""
    points = np.full((1, 68, 2), [20.0, 45])
    points[0, :2] = [[10, 20], [30, 70]]
    found = measure(np.array([[5.5, 10, 30.5, 70]]), points)
    assert found.width[0] == pytest.approx(25 / 20)
    assert found.height[0] == pytest.approx(60 / 50)
    assert found.shift_up[0] == pytest.approx(5 / 50)
    assert found.lean[0] == pytest.approx(-2 / 25)


def test_boxes_made_of_points_have_the_measures_they_were_made_with() -> None:
    points = np.random.default_rng(0).uniform(0, 100, (5, 68, 2))
    found = measure(box_of_points(points), points)
    np.testing.assert_allclose(found.width, BOX_WIDTH_OVER_POINTS)
    np.testing.assert_allclose(found.height, BOX_HEIGHT_OVER_POINTS)
    np.testing.assert_allclose(found.shift_up, BOX_SHIFT_UP)
    np.testing.assert_allclose(found.lean, 0, atol=1e-12)


def test_a_line_tells_the_medians_and_half_the_distance_of_the_quartiles() -> None:
    values = np.array([1.0, 2, 3, 4, 5])
    line = told("an_archive", Measures(values, values / 10, values + 1, -values))
    assert line == (
        "an_archive: 5 faces, width 3.000 +- 1.000, height 0.300 +- 0.100, shift up 4.000 +- 1.000, "
        "lean -3.000 +- 1.000"
    )


def test_only_large_frontal_faces_that_are_well_fitted_are_measured() -> None:
    boxes = np.tile([0.0, 0, 60, 60], (6, 1))
    boxes[1, 2] = 30
    faces = FaceLabels.of_boxes(np.arange(6), boxes, np.array([0, 0, 1, 0, 0, 0]))
    faces.fitted[:] = 1
    faces.fitted[3] = 0.5
    faces.quaternion[4] = faces.quaternion.new_tensor(euler_to_quaternion(-20.0, 0.0, 0.0).tolist())
    faces.quaternion[5] = faces.quaternion.new_tensor(euler_to_quaternion(10.0, 30.0, 40.0).tolist())
    assert frontal(faces).tolist() == [True, False, False, False, False, True]
