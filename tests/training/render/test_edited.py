from pathlib import Path

import numpy as np
import pytest

from service.vision.face_model import FaceModel

pytest.importorskip("cv2", reason="editing photos needs OpenCV, which the training extra brings")

from training.render.edited import EDITS, edit

NAMES = FaceModel.load(Path(__file__).parents[3] / "models" / "face_model.npz").expression_names


def test_an_edit_changes_one_to_three_coefficients_and_keeps_the_rest() -> None:
    rng = np.random.default_rng(0)
    before = np.full(46, 0.3, np.float32)
    for _ in range(300):
        after = edit(before, NAMES, rng)
        assert (before == np.float32(0.3)).all()
        assert after.min() >= 0
        assert after.max() <= 1
        raised = {
            name.removesuffix("_L").removesuffix("_R") for name in np.array(NAMES)[(after != before) & (after > 0)]
        }
        assert 1 <= len(raised) <= 3
        assert raised <= set(EDITS)
        assert after[NAMES.index("jawOpen")] == before[NAMES.index("jawOpen")]


def test_edited_names_are_the_models() -> None:
    for name in EDITS:
        assert name in NAMES or f"{name}_L" in NAMES, name
