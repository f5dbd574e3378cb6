"""Which prediction is about an annotated face, and what the measures make of it."""

import numpy as np
import pytest

from service.vision.arrays import Pixels
from service.vision.rotation import euler_to_quaternion
from training.evaluation.annotated import (
    annotated_faces,
    measure_exact,
    measure_jitter,
    measure_lids,
    measure_poses,
    measure_skin,
)
from training.evaluation.datasets.sample import Sample
from training.evaluation.jitter import FRAMES
from training.evaluation.measure import Seen, look
from training.evaluation.prediction import Prediction

NAMES = ("eyeBlink_L", "eyeBlink_R", *(f"e{i}" for i in range(44)))
PICTURE = np.full((80, 100, 3), (200, 150, 120), np.uint8)


def points(x: float) -> np.ndarray:
    """68 points of a face 30 pixels wide and high."""
    face = np.random.default_rng(0).uniform(0, 30, (68, 2))
    face[0], face[1] = 0, 30
    return np.asarray(face + np.array([x, 20.0]))


def prediction(*xs: float, yaw: float = 0.0, expression: float = 0.5) -> Prediction:
    landmarks, count = np.stack([points(x) for x in xs]), len(xs)
    boxes = np.concatenate([landmarks.min(axis=1), landmarks.max(axis=1)], axis=1)
    pose = euler_to_quaternion(np.full(count, yaw), np.zeros(count), np.zeros(count))
    return Prediction(
        np.full(count, 0.9), boxes, landmarks, pose, np.zeros((count, 50)), np.full((count, 46), expression)
    )


def sample(name: str = "a", **known: np.ndarray) -> Sample:
    return Sample(name, lambda: PICTURE, landmarks=points(40)[None], **known)  # type: ignore[arg-type]


def seen_with(found: Prediction, *samples: Sample) -> list[Seen]:
    return list(look(lambda _: found, samples))


def test_each_face_gets_the_nearest_prediction_or_none() -> None:
    (face,) = annotated_faces(seen_with(prediction(0, 42), sample()))
    assert face.prediction is not None
    np.testing.assert_array_equal(face.prediction.landmarks[0], points(42))
    (missed,) = annotated_faces(seen_with(prediction(0), sample()))
    assert missed.prediction is None
    assert np.isnan(missed.predicted_points()).all()
    assert annotated_faces(seen_with(prediction(42), Sample("b", lambda: PICTURE))) == []


def test_exact_expressions() -> None:
    rows = np.linspace(0, 1, 5)
    samples = [sample(str(i), expression=np.full((1, 46), row)) for i, row in enumerate(rows)]
    seen = [seen_with(prediction(41, expression=row / 2), s)[0] for row, s in zip(rows, samples, strict=True)]
    result = measure_exact(seen, NAMES)
    assert result is not None
    expression, eyes = result
    assert expression.mean_correlation == pytest.approx(1)
    assert expression.mean_difference == pytest.approx(0.25)
    assert (eyes.faces, eyes.closed) == (5, 6)  # 0.5, 0.75 and 1, both eyes
    assert eyes.blink == pytest.approx((0.25 + 0.375 + 0.5) / 3)
    assert measure_exact(seen_with(Prediction.none(), *samples), NAMES) is None


def test_poses() -> None:
    true = euler_to_quaternion(np.array([40.0]), np.zeros(1), np.zeros(1))
    bins = measure_poses(seen_with(prediction(43, yaw=35), sample(quaternion=true), sample("b", quaternion=true)))
    assert bins is not None
    assert (bins[1].faces, bins[1].missed) == (2, 0)
    assert bins[1].yaw == pytest.approx(5)
    assert bins[1].nme == pytest.approx(10)
    assert measure_poses(seen_with(Prediction.none(), sample(quaternion=true)))[1].missed == 1  # type: ignore[index]
    without = Prediction(np.ones(1), np.zeros((1, 4)), points(43)[None])
    assert measure_poses(seen_with(without, sample(quaternion=true))) is None


def test_lids_and_skin_of_a_missed_face() -> None:
    assert measure_lids(seen_with(Prediction.none(), sample())).faces == 0
    skin = measure_skin(seen_with(Prediction.none(), sample()))
    assert skin.groups[0].missed == 1
    assert skin.colourless == 0


def test_jitter_of_a_predictor_that_never_moves() -> None:
    """It is off by the frames' own movement: shifts and scales with the standard deviation of uniform numbers."""
    seen = seen_with(prediction(40), *(sample(str(i)) for i in range(40)))
    result = measure_jitter(lambda _: prediction(40), seen)
    assert (result.photos, result.lost) == (30, 0)
    shift = np.sqrt(2 * (2 * 1.0) ** 2 / 12)  # pixels, both axes; the scale adds little this near to the centre
    assert result.jitter == pytest.approx(100 * shift / 30, rel=0.08)


def test_jitter_counts_frames_without_the_face() -> None:
    calls = iter(range(FRAMES))

    def predictor(_: Pixels) -> Prediction:
        return prediction(40) if next(calls) < 5 else Prediction.none()

    result = measure_jitter(predictor, seen_with(prediction(40), sample()))
    assert (result.photos, result.lost) == (1, FRAMES - 5)
    nobody = measure_jitter(lambda _: Prediction.none(), seen_with(prediction(40), sample()))
    assert (nobody.photos, nobody.lost) == (0, FRAMES)
    assert np.isnan(nobody.jitter)
