import numpy as np
import pytest

from service.inference.models import Models
from service.vision.arkit import ARKIT_NAMES, GAZE, NEVER_OBSERVED, WITHOUT_GAZE, arkit_matrix, blendshapes, unobserved
from service.vision.gaze import GAZE_NAMES, no_gaze


def view(models: Models, **weights: float) -> dict[str, float]:
    """The non-zero ARKit weights of an expression given by name, without a gaze."""
    names = models.face_model.expression_names
    expression = np.zeros(len(names), np.float32)
    for name, weight in weights.items():
        expression[names.index(name)] = weight
    values = blendshapes(expression, no_gaze(1)[0], models.arkit)
    return {name: float(value) for name, value in zip(ARKIT_NAMES, values, strict=True) if value}


def test_there_are_the_52_names_of_arkit() -> None:
    assert len(set(ARKIT_NAMES)) == 52


def test_left_and_right_are_spelled_out(models: Models) -> None:
    assert view(models, eyeBlink_L=0.5, mouthSmile_R=0.25) == {"eyeBlinkLeft": 0.5, "mouthSmileRight": 0.25}


def test_a_direction_is_no_side(models: Models) -> None:
    assert view(models, jawLeft=0.5, mouthRight=0.25, jawOpen=1) == {"jawLeft": 0.5, "mouthRight": 0.25, "jawOpen": 1}


def test_halves_are_averaged(models: Models) -> None:
    assert view(models, browInnerUp_L=0.5, browInnerUp_R=0.25, cheekPuff_L=1) == {
        "browInnerUp": 0.375,
        "cheekPuff": 0.5,
    }


def test_lowered_lids_go_to_both_eyes(models: Models) -> None:
    assert view(models, eyeLookDown=0.75) == {"eyeLookDownLeft": 0.75, "eyeLookDownRight": 0.75}


def test_the_unobserved_are_zero_and_nothing_else_is(models: Models) -> None:
    everything = view(models, **dict.fromkeys(models.face_model.expression_names, 1.0))
    assert set(ARKIT_NAMES) - set(everything) == set(WITHOUT_GAZE)
    assert set(everything.values()) == {1.0}
    assert set(WITHOUT_GAZE) == {
        "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
        "tongueOut",
    }  # fmt: skip


def test_the_gaze_takes_the_place_of_the_lids(models: Models) -> None:
    """Of three faces the second one's gaze was not seen."""
    names = models.face_model.expression_names
    expression, gaze = np.zeros((3, 46), np.float32), no_gaze(3)
    expression[:, names.index("eyeLookDown")], expression[:, names.index("jawOpen")] = 0.75, 0.5
    gaze[[0, 2]] = np.arange(16).reshape(2, 8) / 16
    before = expression.copy()
    weights = blendshapes(expression, gaze, models.arkit)
    assert weights.shape == (3, 52)
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(weights[[0, 2]][:, [ARKIT_NAMES.index(name) for name in GAZE_NAMES]], gaze[[0, 2]])
    np.testing.assert_array_equal(weights[1, GAZE], [0.75, 0.75, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(weights[:, ARKIT_NAMES.index("jawOpen")], 0.5)
    np.testing.assert_array_equal(expression, before)
    np.testing.assert_array_equal(blendshapes(expression[2], gaze[2], models.arkit), weights[2])


def test_what_is_unobserved_hangs_on_the_gaze() -> None:
    seen = np.zeros((2, 8), np.float32)
    assert unobserved(seen) == NEVER_OBSERVED == ("tongueOut",)
    assert unobserved(no_gaze(2)) == unobserved(no_gaze(0)) == WITHOUT_GAZE
    assert list(ARKIT_NAMES)[GAZE] == list(GAZE_NAMES)


def test_a_foreign_name_is_refused(models: Models) -> None:
    with pytest.raises(ValueError, match="earWiggle"):
        arkit_matrix([*models.face_model.expression_names, "earWiggle_L"])


def test_a_missing_name_is_refused(models: Models) -> None:
    with pytest.raises(ValueError, match="jawOpen"):
        arkit_matrix([name for name in models.face_model.expression_names if name != "jawOpen"])
