"""Names of morph targets and nodes, as of Studio's tests of the same rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cli.capture.formats.character_names import JOINTS, is_joint, shape_of, shapes_of, words_of
from service.vision.arkit import ARKIT_NAMES


@pytest.mark.parametrize("name", ARKIT_NAMES)
def test_each_of_arkits_names_is_its_own(name: str) -> None:
    assert shape_of(name) == ARKIT_NAMES.index(name)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("JawOpen", "jawOpen"),
        ("JAW_OPEN", "jawOpen"),
        ("eyeBlink_L", "eyeBlinkLeft"),
        ("Wolf3D_Head.eyeBlinkLeft", "eyeBlinkLeft"),
        ("blendShape1.mouthSmile_R", "mouthSmileRight"),
        ("head_geo:BrowInnerUp", "browInnerUp"),
        ("mouth_left", "mouthLeft"),
        ("browDownL", "browDownLeft"),
        ("eye.blink.r", "eyeBlinkRight"),
        ("EYELOOKOUTLEFT", "eyeLookOutLeft"),
        ("A14_Eye_Blink_Left", "eyeBlinkLeft"),
        ("tongue out", "tongueOut"),
        ("browInnerUp_L", "browInnerUp"),  # a half of it
        ("Head_cheekPuff_R", "cheekPuff"),
    ],
)
def test_spellings(target: str, name: str) -> None:
    assert shape_of(target) == ARKIT_NAMES.index(name)


@pytest.mark.parametrize(
    "target",
    ["", "Key 1", "Fcl_MTH_A", "viseme_aa", "jawOpenMore", "open", "jawOpen_mouthFunnel", "eyeBlink_L_eyeSquint_L",
     "mouthSmile", "browUp_L", "L", "left", "a_" * 100_000],
)  # fmt: skip
def test_other_targets_are_none(target: str) -> None:
    assert shape_of(target) is None


@given(st.text(max_size=60))
def test_any_text_is_a_shape_or_none(target: str) -> None:
    assert shape_of(target) in (None, *range(52))


def test_a_target_that_is_there_twice_moves_once_unless_each_is_a_half() -> None:
    jaw, brow = ARKIT_NAMES.index("jawOpen"), ARKIT_NAMES.index("browInnerUp")
    assert shapes_of(["JawOpen", "jawOpen", "Head.jawOpen"]) == [None, jaw, None]
    assert shapes_of(["browInnerUp_L", "browInnerUp_R", "smirk"]) == [brow, brow, None]


@pytest.mark.parametrize(
    ("name", "joint"),
    [
        ("neck", "neck"), ("mixamorigNeck", "neck"), ("CC_Base_NeckTwist01_Neck", "neck"), ("neck_01", "neck"),
        ("head", "head"), ("mixamorig:Head", "head"), ("CC_Base_Head", "head"), ("head_jnt", "head"),
        ("eye_left", "eye_left"), ("mixamorigLeftEye", "eye_left"), ("CC_Base_L_Eye", "eye_left"),
        ("Eye_R", "eye_right"), ("RightEye", "eye_right"),
        ("Hips", None), ("HeadTop_End", None), ("Eyebrow", None), ("Eyelash_L", None), ("eye", None), ("", None),
    ],
)  # fmt: skip
def test_joints(name: str, joint: str | None) -> None:
    assert [of for of in JOINTS if is_joint(of, name)] == ([] if joint is None else [joint])


def test_names_fall_into_words() -> None:
    assert words_of("mixamorig:LeftEye") == ["mixamorig", "left", "eye"]
    assert words_of("CC_Base_L_Eye") == ["cc", "base", "l", "eye"]
    assert words_of("neck_01") == ["neck", "01"]
