"""Which faces the first teacher is shown."""

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("mediapipe")

from training.data.archives import FaceRecord
from training.labels import teacher


def test_faces_that_are_small_or_may_be_none_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[np.ndarray] = []

    def look(crop: np.ndarray, _: float) -> tuple[np.ndarray, list[str], np.ndarray]:
        shown.append(crop)
        return np.zeros((478, 3), np.float32), ["eyeBlinkLeft", "eyeBlinkRight"] * 26, np.zeros(52, np.float32)

    monkeypatch.setattr(teacher, "_look", look)
    box = np.array([50, 50, 110, 110], np.float32)
    faces = [FaceRecord("a", box), FaceRecord("a", box, invalid=True), FaceRecord("a", box / 4)]
    found = teacher.label_picture(np.zeros((200, 200, 3), np.uint8), faces)["found"]
    assert found.all(1).tolist() == [True, False, False]
    assert len(shown) == 2  # as it is and mirrored
