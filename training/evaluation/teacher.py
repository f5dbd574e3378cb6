"""The teacher, MediaPipe's Face Landmarker, as something to measure and as the reference for expressions.

python -m training.evaluation --predictor training.evaluation.teacher:Teacher
"""

import atexit
from collections.abc import Iterable
from pathlib import Path

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray
from PIL import Image

from service.arkit import ARKIT_NAMES, arkit_matrix
from service.face_model import FaceModel
from service.letterbox import Pixels
from service.rotation import matrix_to_quaternion
from training.data.archives import box_of_points
from training.evaluation.datasets.sample import Floats, Sample
from training.evaluation.detection import area
from training.evaluation.prediction import Prediction

TEACHER = Path("../shared/face_landmarker_v2.task")
FACE_KIT = Path("../shared/ict_facekit.npz")  # holds the map from the teacher's 478 points to the 68
FACE_MODEL = Path("models/face_model.npz")
LEAST_SIDE = 512  # pixels to which smaller pictures are enlarged: the teacher wants faces of 128 pixels or more
MOST_FACES = 20
POINTS = 478


class Teacher:
    """Finds faces in whole pictures. Its scores are all 1: it tells none."""

    def __init__(self, teacher: Path = TEACHER, face_kit: Path = FACE_KIT, face_model: Path = FACE_MODEL) -> None:
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(teacher)),
            num_faces=MOST_FACES,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        self._landmarker = vision.FaceLandmarker.create_from_options(options)
        atexit.register(self._landmarker.close)  # its own finalizer is too late when the interpreter ends
        with np.load(face_kit) as kit:
            self._to_68 = kit["mediapipe478_to_68"]
        self._to_expression = expression_of_arkit(FaceModel.load(face_model).expression_names)

    def __call__(self, image: Pixels, /) -> Prediction:
        height, width = image.shape[:2]
        enlarge = max(1.0, LEAST_SIDE / max(width, height))
        if enlarge > 1:
            size = (round(width * enlarge), round(height * enlarge))
            image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
        result = self._landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(image)))
        if not result.face_landmarks:
            return Prediction.none()
        dense = np.array([[[p.x * width, p.y * height] for p in face[:POINTS]] for face in result.face_landmarks])
        landmarks = self._to_68.astype(np.float64) @ dense
        weights = [{shape.category_name: shape.score for shape in face} for face in result.face_blendshapes]
        arkit = np.array([[face.get(name, 0.0) for name in ARKIT_NAMES] for face in weights])
        return Prediction(
            score=np.ones(len(dense)),
            box=box_of_points(landmarks),
            landmarks=landmarks,
            quaternion=matrix_to_quaternion(np.array(result.facial_transformation_matrixes)[:, :3, :3]),
            expression=arkit @ self._to_expression.T,
        )


def expression_of_arkit(names: tuple[str, ...]) -> NDArray[np.float64]:
    """(46, 52) from ARKit's weights to the face model's: halves take their whole's weight, bilateral ones the mean."""
    involved = arkit_matrix(names) > 0
    mean: NDArray[np.float64] = involved / involved.sum(axis=1, keepdims=True)
    return mean


def label(samples: Iterable[Sample], cache: Path) -> dict[str, Floats]:
    """The teacher's view of the largest face of each sample, made once and kept in the file `cache` (.npz).

    name (N,), landmarks (N, 68, 2) and expression (N, 46), NaN where it found no face.
    """
    if not cache.exists():
        teacher = Teacher()
        names, landmarks, expression = [], [], []
        for sample in samples:
            seen = teacher(sample.read())
            names.append(sample.name)
            if len(seen.score) == 0 or seen.expression is None:
                landmarks.append(np.full((68, 2), np.nan))
                expression.append(np.full(46, np.nan))
                continue
            largest = int(area(seen.box).argmax())
            landmarks.append(seen.landmarks[largest])
            expression.append(seen.expression[largest])
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, name=np.array(names), landmarks=np.array(landmarks), expression=np.array(expression))
    with np.load(cache) as arrays:
        return {key: arrays[key] for key in ("name", "landmarks", "expression")}
