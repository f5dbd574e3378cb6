"""The pictures that frames are measured on, and how the faces that a system found are counted."""

import numpy as np
import pytest

from bench.group_pictures import NAMES, PICTURES, GroupPicture, group_pictures
from service.vision.image import Picture
from service.vision.nms import iou

TWO = np.array([[100, 100, 200, 200], [250, 100, 350, 200]], float)


@pytest.mark.parametrize(
    ("boxes", "found"),
    [
        (TWO, 2),
        (TWO[::-1] + 10, 2),
        (TWO[:1], 1),
        (TWO[[0, 0]], 1),  # twice the same face
        (TWO + np.array([0, 0, 0, 150]), 2),  # 100 x 100 of 100 x 250: 0.4
        (TWO + np.array([0, 0, 0, 300]), 0),  # of 100 x 400: 0.25
        (np.zeros((0, 4)), 0),
    ],
)
def test_faces_found(boxes: np.ndarray, found: int) -> None:
    picture = Picture(np.zeros((300, 400, 3), np.uint8), 400, 300)
    assert GroupPicture(picture, TWO).found(boxes) == found


def test_the_pictures_hold_as_many_faces_apart_as_they_say() -> None:
    for number, group in group_pictures().items():
        assert group.picture.pixels.shape == (720, 1280, 3)
        assert len(group.boxes) == number
        assert (group.boxes >= -20).all()
        assert (group.boxes <= [1300, 740, 1300, 740]).all()
        assert np.triu(iou(group.boxes, group.boxes), 1).max() < 0.1
    assert all((PICTURES / name).stat().st_size < 150_000 for name in NAMES.values())
