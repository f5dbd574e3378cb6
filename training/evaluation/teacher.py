"""The teacher, MediaPipe's Face Landmarker, as something to measure and as the reference for expressions.

python -m training.evaluation --predictor training.evaluation.teacher:Teacher
"""

from pathlib import Path

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from PIL import Image

from service.vision.arkit import ARKIT_NAMES, GAZE
from service.vision.arrays import Pixels
from service.vision.face_model import FaceModel
from service.vision.rotation import matrix_to_quaternion
from training.data.archives import box_of_points
from training.evaluation.prediction import Prediction
from training.evaluation.reference import expression_of_arkit

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
        with np.load(face_kit) as kit:
            self._to_68 = kit["mediapipe478_to_68"]
        self._to_expression = expression_of_arkit(FaceModel.load(face_model).expression_names)

    def close(self) -> None:
        """Ends its threads; left to the end of the interpreter, it would complain."""
        self._landmarker.close()

    def __call__(self, image: Pixels, /) -> Prediction:
        """The faces of a picture (H, W, 3) uint8 RGB, as the teacher finds them."""
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
            gaze=arkit[:, GAZE],
        )
