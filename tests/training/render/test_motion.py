"""Expressions from recorded motion. The recordings are no part of the repository: a small stand-in is made here."""

from pathlib import Path

import numpy as np
import pytest

from service.vision.arkit import ARKIT_NAMES, GAZE, arkit_matrix
from service.vision.face_model import FaceModel
from service.vision.gaze import GAZE_NAMES
from training.render.expressions import Expression
from training.render.motion import RARE, SWAPPED_SIDES, Motion

NAMES = FaceModel.load(Path(__file__).parents[3] / "models" / "face_model.npz").expression_names
FAINT = {"cheekPuff": 0.3, "jawLeft": 0.15, "jawRight": 0.12, "jawForward": 0.3}  # most of these in the stand-in


def frames() -> np.ndarray:
    """(N, 52): mostly rest, and each coefficient with its partner once in forty frames."""
    rng = np.random.default_rng(0)
    weights = rng.uniform(0, 0.05, (4000, 52))
    for column, name in enumerate(ARKIT_NAMES):
        shown = rng.choice(4000, 100, replace=False)
        strength = rng.uniform(0.2, 1, 100) * FAINT.get(name, 0.9)
        weights[shown, column] = strength
        if name.endswith("Left") and not name.startswith(("jaw", "mouthLeft")):
            weights[shown, SWAPPED_SIDES[column]] = strength
    return weights


def recorded(path: Path, names: list[str], weights: np.ndarray) -> Path:
    np.savez(path, coefficients=weights.astype(np.float16), names=np.array(names), take=np.zeros(len(weights)))
    return path


@pytest.fixture(scope="module")
def motion() -> Motion:
    return Motion.of_frames(frames(), NAMES)


@pytest.fixture(scope="module")
def drawn(motion: Motion) -> list[Expression]:
    rng = np.random.default_rng(1)
    return [motion.draw(rng) for _ in range(6000)]


def test_names_are_found_in_either_spelling_and_any_order(tmp_path: Path) -> None:
    weights = frames()[:50]
    order = np.random.default_rng(2).permutation(52)
    live_link = [ARKIT_NAMES[i][0].upper() + ARKIT_NAMES[i][1:] for i in order]
    columns = np.concatenate([np.full((50, 1), 2.0), weights[:, order]], axis=1)
    read = Motion.load(recorded(tmp_path / "motion.npz", ["HeadYaw", *live_link], columns), NAMES)
    np.testing.assert_allclose(read.frames[:50], weights, atol=1e-3)


def test_every_frame_is_there_mirrored(motion: Motion) -> None:
    first, second = np.split(motion.frames, 2)
    column = {name: i for i, name in enumerate(ARKIT_NAMES)}
    for name, other in (
        ("mouthSmileLeft", "mouthSmileRight"),
        ("jawLeft", "jawRight"),
        ("mouthRight", "mouthLeft"),
        ("eyeLookOutLeft", "eyeLookOutRight"),
        ("cheekPuff", "cheekPuff"),
        ("tongueOut", "tongueOut"),
    ):
        np.testing.assert_array_equal(second[:, column[name]], first[:, column[other]])


def test_w_exp_is_the_inverse_of_the_arkit_view(motion: Motion) -> None:
    weights = np.random.default_rng(3).uniform(size=52)
    weights[ARKIT_NAMES.index("eyeLookDownLeft")] = weights[ARKIT_NAMES.index("eyeLookDownRight")]
    back = motion.to_expression @ weights @ arkit_matrix(NAMES)
    told = np.array([not (GAZE.start <= i < GAZE.stop) and name != "tongueOut" for i, name in enumerate(ARKIT_NAMES)])
    np.testing.assert_allclose(back[told], weights[told], atol=1e-6)


def test_weights_and_gaze_are_within_their_range(drawn: list[Expression]) -> None:
    for values in (np.stack([e.w_exp for e in drawn]), np.stack([e.gaze for e in drawn if e.gaze is not None])):
        assert len(values) == len(drawn)
        assert values.dtype == np.float32
        assert values.min() >= 0
        assert values.max() <= 1
    assert {e.tongue > 0.3 for e in drawn} == {True, False}


def test_rare_coefficients_reach_the_documented_frequency(drawn: list[Expression]) -> None:
    w_exp = np.stack([e.w_exp for e in drawn])
    for rare in RARE:
        if rare == "tongueOut":
            assert np.mean([e.tongue > 0.3 for e in drawn]) > 0.03
            continue
        stem = rare.removesuffix("Left") if rare not in ("mouthLeft", "jawLeft") else rare
        columns = [i for i, name in enumerate(NAMES) if name in (stem, f"{stem}_L", f"{stem}_R")]
        assert columns, rare
        if rare != "mouthClose":  # which needs a jaw that opens with it, as in real motion
            assert ((w_exp[:, columns] > 0.3).mean(0) > 0.03).all(), rare


def test_faint_ones_are_enlarged_over_their_whole_range(drawn: list[Expression]) -> None:
    w_exp = np.stack([e.w_exp for e in drawn])
    for name in ("jawLeft", "jawRight", "jawForward", "cheekPuff_L"):
        assert w_exp[:, NAMES.index(name)].max() > 0.8, name


def test_lowered_lids_go_with_the_gaze(drawn: list[Expression]) -> None:
    gaze = np.stack([e.gaze for e in drawn if e.gaze is not None])
    assert len(gaze) == len(drawn)
    down = gaze[:, [GAZE_NAMES.index(f"eyeLookDown{s}") for s in ("Left", "Right")]].mean(1)
    lids = np.array([e.w_exp[NAMES.index("eyeLookDown")] for e in drawn])
    assert np.corrcoef(down, lids)[0, 1] > 0.99


def test_a_mouth_does_what_mouths_can(drawn: list[Expression]) -> None:
    w_exp = np.stack([e.w_exp for e in drawn])
    of = {name: w_exp[:, i] for i, name in enumerate(NAMES)}
    assert (of["mouthClose"] <= of["jawOpen"] + 1e-6).all()
    assert (of["jawOpen"][of["cheekPuff_L"] > 0.45] <= 0.2 + 1e-6).all()


def test_what_is_no_motion_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.npz is not there; .*--motion none"):
        Motion.load(tmp_path / "none.npz", NAMES)
    lacking = recorded(tmp_path / "lacking.npz", list(ARKIT_NAMES[:-1]), frames()[:5, :-1])
    with pytest.raises(ValueError, match="does not name tongueOut"):
        Motion.load(lacking, NAMES)
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(ValueError, match="has no coefficients, names"):
        Motion.load(tmp_path / "other.npz", NAMES)
    with pytest.raises(ValueError, match=r"shape \(5, 51\) for 52 names"):
        Motion.load(recorded(tmp_path / "shape.npz", list(ARKIT_NAMES), frames()[:5, :-1]), NAMES)
    with pytest.raises(ValueError, match="never shows noseSneerLeft"):
        Motion.of_frames(np.zeros((5, 52)), NAMES)
