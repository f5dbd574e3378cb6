"""Measures of single annotated faces: which prediction is about each, and what becomes of it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from service.vision.face_model import LANDMARKS
from training.evaluation import jitter
from training.evaluation.datasets.sample import Floats
from training.evaluation.expression import ExpressionMetrics, expression_metrics
from training.evaluation.eyes import EyeMetrics, LidMetrics, eye_metrics, lid_metrics
from training.evaluation.landmarks import INNER, nearest_face, size_of_box
from training.evaluation.measure import MIN_SCORE, Seen, paired_expressions
from training.evaluation.poses import PoseMetrics, pose_metrics
from training.evaluation.prediction import Prediction, Predictor
from training.evaluation.skin import SkinMetrics, skin_colour, skin_metrics, typology_angle


@dataclass(frozen=True)
class Annotated:
    """An annotated face of a sample, points (68, 2) and its place in the sample, and the one prediction about it."""

    seen: Seen
    index: int
    points: Floats
    prediction: Prediction | None

    def predicted_points(self) -> Floats:
        """(68, 2), NaN where the face is missed."""
        return np.full((LANDMARKS, 2), np.nan) if self.prediction is None else self.prediction.landmarks[0]


def annotated_faces(seen: Iterable[Seen], min_score: float = MIN_SCORE) -> list[Annotated]:
    """All annotated faces of samples that have landmarks."""
    faces = []
    for s in seen:
        predicted = s.faces(min_score)
        for index, points in enumerate(() if s.sample.landmarks is None else s.sample.landmarks):
            nearest = nearest_face(predicted.landmarks, points)
            prediction = None if nearest is None else predicted.take(np.array([nearest]))
            faces.append(Annotated(s, index, points, prediction))
    return faces


def _points(faces: list[Annotated]) -> tuple[Floats, Floats]:
    """Predicted and annotated (M, 68, 2)."""
    shape = (-1, LANDMARKS, 2)
    predicted, annotated = np.array([f.predicted_points() for f in faces]), np.array([f.points for f in faces])
    return predicted.reshape(shape), annotated.reshape(shape)


def measure_eyes(
    seen: list[Seen], reference: dict[str, Floats], names: tuple[str, ...], min_score: float = MIN_SCORE
) -> EyeMetrics | None:
    """Against a reference as in measure.measure_expression."""
    ours, theirs = paired_expressions(seen, reference, min_score)
    return eye_metrics(ours, theirs, names) if len(ours) else None


def measure_lids(seen: list[Seen], min_score: float = MIN_SCORE) -> LidMetrics:
    """Measures how far lids are open, on samples with 68 points."""
    return lid_metrics(*_points(annotated_faces(seen, min_score)))


def exact_expressions(seen: list[Seen]) -> dict[str, Floats]:
    """What samples of one face each know exactly, as a reference for measure_expression."""
    known = [s.sample for s in seen if s.sample.landmarks is not None and s.sample.expression is not None]
    return {
        "name": np.array([sample.name for sample in known]),
        "landmarks": np.array([sample.landmarks[0] for sample in known if sample.landmarks is not None]),
        "expression": np.array([sample.expression[0] for sample in known if sample.expression is not None]),
    }


def measure_exact(
    seen: list[Seen], names: tuple[str, ...], min_score: float = MIN_SCORE
) -> tuple[ExpressionMetrics, EyeMetrics] | None:
    """Against the expressions that the samples know; None where no face is left to compare."""
    ours, theirs = paired_expressions(seen, exact_expressions(seen), min_score)
    if not len(ours):
        return None
    return expression_metrics(ours, theirs, names), eye_metrics(ours, theirs, names)


def measure_poses(seen: list[Seen], min_score: float = MIN_SCORE) -> tuple[PoseMetrics, ...] | None:
    """Measures errors by yaw on samples with 68 points and pose; None for a predictor that tells no pose."""
    faces = [f for f in annotated_faces(seen, min_score) if f.seen.sample.quaternion is not None]
    if any(f.prediction is not None and f.prediction.quaternion is None for f in faces):
        return None
    nothing = np.full(4, np.nan)
    pose = [nothing if f.prediction is None else np.asarray(f.prediction.quaternion)[0] for f in faces]
    true_pose = [np.asarray(f.seen.sample.quaternion)[f.index] for f in faces]
    return pose_metrics(*_points(faces), np.array(pose).reshape(-1, 4), np.array(true_pose).reshape(-1, 4))


def measure_jitter(predictor: Predictor, seen: list[Seen], min_score: float = MIN_SCORE) -> jitter.JitterMetrics:
    """Measures jitter on samples with 68 points, 30 of them, evenly spread. Frames are the same for every predictor."""
    faces = [Annotated(s, 0, s.sample.landmarks[0], None) for s in seen if s.sample.landmarks is not None]
    spread = np.unique(np.linspace(0, len(faces) - 1, min(len(faces), jitter.PHOTOS)).round().astype(int))
    lost, all_points, inner = 0, [], []
    for index in spread:
        face = faces[index]
        rng = np.random.default_rng([jitter.SEED, int(index)])
        still = []
        for movement, frame in jitter.frames(face.seen.sample.read(), rng):
            found = predictor(frame)
            found = found.take(found.score >= min_score)
            nearest = nearest_face(found.landmarks, movement.points(face.points, *face.seen.size))
            if nearest is None:
                lost += 1
            else:
                still.append(jitter.undone(movement, found.landmarks[nearest], *face.seen.size))
        if len(still) >= 2:
            deviation = 100 * jitter.standard_deviation(np.array(still)) / size_of_box(face.points[None])[0]
            all_points.append(float(deviation.mean()))
            inner.append(float(deviation[INNER].mean()))
    means = [float(np.mean(values)) if values else float("nan") for values in (all_points, inner)]
    return jitter.JitterMetrics(len(all_points), lost, *means)


def measure_skin(seen: list[Seen], min_score: float = MIN_SCORE) -> SkinMetrics:
    """Measures errors by skin tone on samples with 68 points."""
    faces = annotated_faces(seen, min_score)
    colours = [skin_colour(f.seen.sample.read(), f.points) for f in faces]
    scores = np.array([np.nan if f.prediction is None else f.prediction.score[0] for f in faces])
    return skin_metrics(*_points(faces), scores, typology_angle(np.array(colours).reshape(-1, 3)))
