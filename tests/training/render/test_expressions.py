from pathlib import Path

import numpy as np
import pytest

from service.vision.face_model import FaceModel
from training.render.expressions import BROWS, MOUTH, draw_expression

NAMES = FaceModel.load(Path(__file__).parents[3] / "models" / "face_model.npz").expression_names


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([draw_expression(NAMES, rng) for _ in range(4000)])


def test_weights_are_within_their_range(drawn: np.ndarray) -> None:
    assert drawn.dtype == np.float32
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_every_coefficient_uses_its_whole_range(drawn: np.ndarray) -> None:
    for name, largest in zip(NAMES, drawn.max(0), strict=True):
        assert largest > 0.8, name


def test_drawn_names_are_the_models() -> None:
    for name in (*MOUTH, *BROWS):
        assert name in NAMES or f"{name}_L" in NAMES, name


def test_the_mouth_closes_no_further_than_the_jaw_opens(drawn: np.ndarray) -> None:
    assert (drawn[:, NAMES.index("mouthClose")] <= drawn[:, NAMES.index("jawOpen")]).all()


def test_winks_on_either_side_are_no_rarity(drawn: np.ndarray) -> None:
    left, right = drawn[:, NAMES.index("eyeBlink_L")], drawn[:, NAMES.index("eyeBlink_R")]
    assert ((left > 0.6) & (right < 0.35)).mean() > 0.05
    assert ((right > 0.6) & (left < 0.35)).mean() > 0.05


def test_expressions_are_sparse(drawn: np.ndarray) -> None:
    assert 2 < (drawn > 0.25).sum(1).mean() < 8
