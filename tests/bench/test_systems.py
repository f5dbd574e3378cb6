"""How other systems' answers are read; those that are not at hand are played by what their code says."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.group_pictures import GroupPicture
from bench.systems import OpenSeeFace
from service.vision.image import Picture

TRACKER = """
import numpy as np

class Face:
    def __init__(self, lms):
        self.lms = lms

class Tracker:
    def __init__(self, width, height, max_threads, max_faces, silent, model_dir):
        self.given = width, height, max_threads, max_faces, silent, model_dir

    def predict(self, frame):
        assert frame[0, 0].tolist() == [3, 2, 1]  # BGR
        lms = np.ones((70, 3))
        lms[:66, :2] = [[20 + i, 100 + 2 * i] for i in range(66)]
        lms[66:] = 1000  # pupils
        return [Face(lms)] * self.given[3]
"""


@pytest.fixture
def openseeface(tmp_path: Path) -> Iterator[OpenSeeFace]:
    (tmp_path / "tracker.py").write_text(TRACKER)
    yield OpenSeeFace(tmp_path)
    del sys.modules["tracker"]


@pytest.fixture
def group() -> GroupPicture:
    pixels = np.full((48, 64, 3), [1, 2, 3], np.uint8)
    return GroupPicture(Picture(pixels, 64, 48), np.zeros((2, 4)))


def test_openseeface(openseeface: OpenSeeFace, group: GroupPicture, tmp_path: Path) -> None:
    look = openseeface.look(group)
    assert look.func.__self__.given == (64, 48, 1, 2, True, str(tmp_path / "models"))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(openseeface.boxes(look()), [[100, 20, 230, 85]] * 2)
    assert openseeface.boxes([]).shape == (0, 4)
    assert str(tmp_path) not in sys.path


def test_a_folder_without_it(tmp_path: Path) -> None:
    with pytest.raises(ImportError):
        OpenSeeFace(tmp_path)
