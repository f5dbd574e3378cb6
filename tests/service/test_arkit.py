import numpy as np
import pytest

from service.arkit import ARKIT_NAMES, UNOBSERVED, arkit_matrix
from service.model_files import Models


def view(models: Models, **weights: float) -> dict[str, float]:
    """The non-zero ARKit weights of an expression given by name."""
    names = models.face_model.expression_names
    expression = np.zeros(len(names), np.float32)
    for name, weight in weights.items():
        expression[names.index(name)] = weight
    values = expression @ models.arkit
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
    assert set(ARKIT_NAMES) - set(everything) == set(UNOBSERVED)
    assert set(everything.values()) == {1.0}
    assert set(UNOBSERVED) == {
        "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
        "tongueOut",
    }  # fmt: skip


def test_a_foreign_name_is_refused(models: Models) -> None:
    with pytest.raises(ValueError, match="earWiggle"):
        arkit_matrix([*models.face_model.expression_names, "earWiggle_L"])


def test_a_missing_name_is_refused(models: Models) -> None:
    with pytest.raises(ValueError, match="jawOpen"):
        arkit_matrix([name for name in models.face_model.expression_names if name != "jawOpen"])
