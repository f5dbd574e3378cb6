"""Runs predictors over data sets and hands what they say to the measures."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES
from training.evaluation.datasets.sample import Floats, Sample
from training.evaluation.detection import DetectionMetrics, detection_metrics
from training.evaluation.expression import ExpressionMetrics, expression_metrics
from training.evaluation.invariance import MOVEMENTS, Faces, InvarianceMetrics, Movement, change
from training.evaluation.landmarks import (
    LandmarkMetrics,
    YawMetrics,
    landmark_metrics,
    matched,
    nearest_face,
    yaw_metrics,
)
from training.evaluation.prediction import Prediction, Predictor

MIN_SCORE = 0.5  # of faces that count, but for the detection curve: what the service answers with unless asked


@dataclass(frozen=True)
class Seen:
    """A sample, its picture's (width, height), and what a predictor said about it."""

    sample: Sample
    size: tuple[int, int]
    prediction: Prediction

    def faces(self, min_score: float) -> Prediction:
        """The faces with at least this score."""
        return self.prediction.take(self.prediction.score >= min_score)


@dataclass(frozen=True)
class GroupedLandmarks:
    """Landmark measures over all faces, by yaw where it is annotated, and by group where there are several."""

    all: LandmarkMetrics
    yaw: YawMetrics | None
    groups: dict[str, LandmarkMetrics]


def look(predictor: Predictor, samples: Iterable[Sample]) -> Iterator[Seen]:
    """Runs a predictor over samples, one picture in memory at a time."""
    for sample in samples:
        image = sample.read()
        yield Seen(sample, (image.shape[1], image.shape[0]), predictor(image))


def measure_detection(seen: list[Seen]) -> DetectionMetrics:
    """Measures detection on samples with boxes; all scores count."""
    boxes = [(s.sample, s) for s in seen if s.sample.boxes is not None]
    return detection_metrics(
        [(s.prediction.box, s.prediction.score) for _, s in boxes],
        [
            (sample.boxes, np.zeros(len(sample.boxes), bool) if sample.ignored is None else sample.ignored)
            for sample, _ in boxes
            if sample.boxes is not None
        ],
        [s.size for _, s in boxes],
    )


def measure_landmarks(seen: list[Seen], min_score: float = MIN_SCORE) -> GroupedLandmarks:
    """Measures landmarks on samples with 68 points."""
    found, annotated, yaw, group = [], [], [], []
    for s in seen:
        if s.sample.landmarks is None:
            continue
        found.append(s.faces(min_score).landmarks)
        annotated.append(s.sample.landmarks)
        count = len(s.sample.landmarks)
        yaw.append(np.full(count, np.nan) if s.sample.yaw is None else s.sample.yaw)
        group += [s.sample.group] * count
    predicted, truth = matched(found, annotated)
    yaws, groups = np.concatenate(yaw) if yaw else np.zeros(0), np.array(group)
    names = sorted(set(group)) if len(set(group)) > 1 else []
    return GroupedLandmarks(
        all=landmark_metrics(predicted, truth),
        yaw=yaw_metrics(predicted, truth, yaws) if np.isfinite(yaws).any() else None,
        groups={name: landmark_metrics(predicted[groups == name], truth[groups == name]) for name in names},
    )


def paired_expressions(seen: list[Seen], reference: dict[str, Floats], min_score: float) -> tuple[Floats, Floats]:
    """Predicted and reference coefficients (M, 46) of the faces that both found; see measure_expression."""
    row_of = {name: row for row, name in enumerate(reference["name"].tolist())}
    ours, theirs = [], []
    for s in seen:
        row = row_of.get(s.sample.name)
        faces = s.faces(min_score)
        if row is None or faces.expression is None or np.isnan(reference["expression"][row]).any():
            continue
        face = nearest_face(faces.landmarks, reference["landmarks"][row])
        if face is not None:
            ours.append(faces.expression[face])
            theirs.append(reference["expression"][row])
    return np.array(ours), np.array(theirs)


def measure_expression(
    seen: list[Seen], reference: dict[str, Floats], names: tuple[str, ...], min_score: float = MIN_SCORE
) -> ExpressionMetrics | None:
    """Against a reference's "name" (N,), "landmarks" (N, 68, 2) and "expression" (N, 46), NaN where it knows nothing.

    Faces that only one of the two found are left out. None where the predictor tells no expression, or no face is left.
    """
    ours, theirs = paired_expressions(seen, reference, min_score)
    return expression_metrics(ours, theirs, names) if len(ours) else None


def measure_invariance(
    predictor: Predictor, seen: list[Seen], names: tuple[str, ...], min_score: float = MIN_SCORE
) -> list[InvarianceMetrics]:
    """Moves each picture in every way and compares its annotated face, or its best one, before and after."""
    subjects: list[tuple[Seen, Prediction]] = []
    for s in seen:
        faces = s.faces(min_score)
        if len(faces.score) == 0 or faces.quaternion is None:
            continue
        best = 0 if s.sample.landmarks is None else nearest_face(faces.landmarks, s.sample.landmarks[0])
        if best is not None:
            subjects.append((s, faces.take(np.array([best]))))
    if not subjects:
        return []
    everyone = _stack([face for _, face in subjects])
    after: dict[Movement, list[Prediction]] = {movement: [] for movement in MOVEMENTS}
    before: dict[Movement, list[Prediction]] = {movement: [] for movement in MOVEMENTS}
    for s, face in subjects:
        image = s.sample.read()
        for movement in MOVEMENTS:
            moved = predictor(movement.picture(image))
            moved = moved.take(moved.score >= min_score)
            same = nearest_face(moved.landmarks, movement.landmarks(face.landmarks[0], *s.size))
            if same is not None:
                before[movement].append(face)
                after[movement].append(moved.take(np.array([same])))
    return [
        change(movement, _stack(before[movement]), _stack(after[movement]), everyone, names)
        for movement in MOVEMENTS
        if before[movement]
    ]


def _stack(faces: list[Prediction]) -> Faces:
    """One face a prediction; a predictor that tells no identity or expression gets zeros, which have no spread."""
    count = len(faces)
    unknown_identity, unknown_expression = np.zeros((1, IDENTITY_MODES)), np.zeros((1, EXPRESSIONS))
    return Faces(
        quaternion=np.concatenate([f.quaternion for f in faces if f.quaternion is not None]).reshape(count, 4),
        identity=np.concatenate([unknown_identity if f.identity is None else f.identity for f in faces]),
        expression=np.concatenate([unknown_expression if f.expression is None else f.expression for f in faces]),
    )
