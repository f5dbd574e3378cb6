"""Predictors over samples: which face is compared, and with what."""

from collections.abc import Callable

import numpy as np
import pytest

from service.vision.arrays import Pixels
from service.vision.rotation import euler_to_quaternion, quaternion_to_euler
from training.evaluation.datasets.sample import Sample
from training.evaluation.invariance import MOVEMENTS
from training.evaluation.measure import look, measure_expression, measure_invariance, measure_landmarks
from training.evaluation.prediction import Prediction

NAMES = tuple(f"e{i}" for i in range(46))
PICTURE = np.zeros((80, 100, 3), np.uint8)


def points(x: float, y: float = 20.0) -> np.ndarray:
    """68 points of a face 30 pixels wide and high."""
    return np.asarray(np.random.default_rng(0).uniform(0, 30, (68, 2)) + np.array([x, y]))


def faces(*xs: float, score: float = 0.9, expression: float = 0.5) -> Prediction:
    landmarks = np.stack([points(x) for x in xs])
    boxes = np.concatenate([landmarks.min(axis=1), landmarks.max(axis=1)], axis=1)
    count = len(xs)
    return Prediction(
        np.full(count, score), boxes, landmarks, euler_to_quaternion(0, 0, np.zeros(count)), np.zeros((count, 50)),
        np.full((count, 46), expression),
    )  # fmt: skip


def sample(name: str = "a", **annotation: object) -> Sample:
    return Sample(name, lambda: PICTURE, **annotation)  # type: ignore[arg-type]


def always(prediction: Prediction) -> Callable[[Pixels], Prediction]:
    return lambda _: prediction


def test_landmarks_are_of_the_nearest_face_with_enough_score() -> None:
    seen = list(look(always(faces(60, 12)), [sample(landmarks=points(10)[None])]))
    assert seen[0].size == (100, 80)
    result = measure_landmarks(seen)
    assert result.all.shift == pytest.approx((2, 0))
    assert (result.yaw, result.groups) == (None, {})
    assert measure_landmarks(seen, min_score=0.95).all.missed == 1


def test_landmarks_by_yaw_and_group() -> None:
    samples = [
        sample("a", landmarks=points(10)[None], yaw=np.array([-40.0]), group="x"),
        sample("b", landmarks=points(13)[None], yaw=np.array([10.0]), group="y"),
    ]
    result = measure_landmarks(list(look(always(faces(10)), samples)))
    assert result.yaw is not None
    assert result.yaw.found == (1, 1, 0)
    assert result.yaw.nme[1] == 0
    assert result.groups["x"].nme == 0
    assert result.groups["y"].nme == pytest.approx(result.yaw.nme[0])


def test_expression_is_compared_where_both_found_the_face() -> None:
    samples = [sample(name) for name in "abcd"]
    reference = {
        "name": np.array(["a", "b", "c"]),  # knows nothing of d,
        "landmarks": np.stack([points(10), points(10), points(65)]),  # sees another face in c,
        "expression": np.stack([np.full(46, 0.2), np.full(46, np.nan), np.zeros(46)]),  # and none in b
    }
    seen = list(look(always(faces(12)), samples))
    result = measure_expression(seen, reference, NAMES)
    assert result is not None
    assert result.faces == 1
    assert result.mean_difference == pytest.approx(0.3)
    assert measure_expression(seen[1:], reference, NAMES) is None


def test_invariance_of_a_predictor_that_never_turns_its_answer() -> None:
    prediction = faces(35)
    seen = list(look(always(prediction), [sample()]))
    results = {m.movement: m for m in measure_invariance(always(prediction), seen, NAMES)}
    turned = results[next(m.name for m in MOVEMENTS if m.turn == 15)]
    assert turned.roll == pytest.approx(15)
    assert (turned.faces, turned.lost) == (1, 0)
    assert results["mirrored"].roll == pytest.approx(0)


def test_invariance_of_a_predictor_that_knows_the_movement() -> None:
    original = faces(35, expression=0.3)
    answers = iter(MOVEMENTS)

    def predictor(_: Pixels) -> Prediction:
        movement = next(answers)
        return Prediction(
            original.score,
            original.box,
            movement.landmarks(original.landmarks, 100, 80),
            movement.quaternion(np.asarray(original.quaternion)),
            original.identity,
            original.expression,
        )

    results = measure_invariance(predictor, list(look(always(original), [sample()])), NAMES)
    assert [m.movement for m in results] == [m.name for m in MOVEMENTS]
    assert all(m.rotation == pytest.approx(0, abs=1e-4) for m in results)


def test_faces_lost_in_the_moved_picture_are_counted() -> None:
    seen = list(look(always(faces(35)), [sample("a"), sample("b")]))
    calls = iter([faces(35)] * len(MOVEMENTS) + [Prediction.none()] * len(MOVEMENTS))
    for result in measure_invariance(lambda _: next(calls), seen, NAMES):
        assert (result.faces, result.lost) == (1, 1)


def test_no_face_no_measure() -> None:
    nobody = always(Prediction.none())
    seen = list(look(nobody, [sample(landmarks=points(10)[None])]))
    assert measure_invariance(nobody, seen, NAMES) == []
    assert measure_landmarks(seen).all.missed == 1
    assert quaternion_to_euler(np.array([0, 0, 0, 1.0]))[2] == 0
