"""The teacher is asked once, about the largest face; its weights reach the face model's coefficients."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.vision.arkit import ARKIT_NAMES
from service.vision.arrays import Pixels
from service.vision.face_model import FaceModel
from training.evaluation.datasets.sample import Sample
from training.evaluation.prediction import Prediction, Predictor
from training.evaluation.reference import ARRAYS, expression_of_arkit, reference

NAMES = FaceModel.load(Path(__file__).resolve().parents[3] / "models" / "face_model.npz").expression_names


class FakeTeacher:
    """Sees a small and a large face in white pictures, none in black ones."""

    def __call__(self, image: Pixels, /) -> Prediction:
        if not image.any():
            return Prediction.none()
        boxes = np.array([[0.0, 0, 2, 2], [0, 0, 8, 8]])
        landmarks, expression = np.zeros((2, 68, 2)), np.zeros((2, 46))
        landmarks[1], expression[1] = 3, 0.25
        return Prediction(np.ones(2), boxes, landmarks, expression=expression)


def picture(name: str, brightness: int) -> Sample:
    return Sample(name, lambda: np.full((8, 8, 3), brightness, np.uint8))


def never() -> Predictor:
    pytest.fail("the teacher was asked again")


def test_largest_face_is_labelled_and_kept(tmp_path: Path) -> None:
    samples = [picture("white", 255), picture("black", 0)]
    cache = tmp_path / "folder" / "set.npz"
    made = reference(samples, cache, FakeTeacher)
    assert made["name"].tolist() == ["white", "black"]
    assert (made["landmarks"][0] == 3).all()
    assert (made["expression"][0] == 0.25).all()
    assert np.isnan(made["landmarks"][1]).all()
    assert np.isnan(made["expression"][1]).all()
    kept = reference(samples[:1], cache, never)
    for key in made:
        np.testing.assert_array_equal(kept[key], made[key])


def test_gaze_is_kept_and_an_earlier_file_without_it_is_made_anew(tmp_path: Path) -> None:
    class Looking(FakeTeacher):
        def __call__(self, image: Pixels, /) -> Prediction:
            seen = super().__call__(image)
            return replace(seen, gaze=np.full((len(seen.score), 8), 0.75)) if len(seen.score) else seen

    samples, cache = [picture("white", 255), picture("black", 0)], tmp_path / "set.npz"
    np.savez(cache, name=["white", "black"], landmarks=np.zeros((2, 68, 2)), expression=np.zeros((2, 46)))
    assert set(reference(samples, cache, never)) == set(ARRAYS)
    made = reference(samples, cache, Looking, (*ARRAYS, "gaze"))
    assert (made["gaze"][0] == 0.75).all()
    assert np.isnan(made["gaze"][1]).all()
    np.testing.assert_array_equal(reference(samples, cache, never, ("name", "gaze"))["gaze"], made["gaze"])


def test_file_of_other_photos_is_made_anew(tmp_path: Path) -> None:
    reference([picture("white", 255)], tmp_path / "set.npz", FakeTeacher)
    assert reference([picture("other", 255)], tmp_path / "set.npz", FakeTeacher)["name"].tolist() == ["other"]


def test_weights_of_arkit_reach_the_coefficients_of_the_same_name() -> None:
    matrix = expression_of_arkit(NAMES)

    def of(**weights: float) -> dict[str, float]:
        expression = matrix @ np.array([weights.get(name, 0.0) for name in ARKIT_NAMES])
        return {name: value for name, value in zip(NAMES, expression, strict=True) if value}

    assert of(mouthSmileLeft=0.6, jawOpen=0.4) == {"mouthSmile_L": 0.6, "jawOpen": 0.4}
    assert of(browInnerUp=0.7) == {"browInnerUp_L": 0.7, "browInnerUp_R": 0.7}
    assert of(cheekPuff=0.3) == {"cheekPuff_L": 0.3, "cheekPuff_R": 0.3}
    assert of(eyeLookDownLeft=0.2, eyeLookDownRight=0.4) == {"eyeLookDown": pytest.approx(0.3)}
    assert of(eyeLookUpLeft=0.9, tongueOut=1.0) == {}
    assert of(jawLeft=0.5, mouthRight=0.1) == {"jawLeft": 0.5, "mouthRight": 0.1}
