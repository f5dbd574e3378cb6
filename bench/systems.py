"""The systems that describe the faces of a frame, each as its users run it: pixels in, coefficients out."""

import importlib
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime

from bench.group_pictures import GroupPicture
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline

Look = Callable[[], Any]

# 3DDFA_V2's way from a face's box to its network's square input (its parse_roi_box_from_bbox and normalisation).
TDDFA_SIDE = 120  # pixels
TDDFA_OVER_BOX, TDDFA_DOWN = 1.58, 0.14  # of the mean of the box's sides: the crop's side, how far it lies below
TDDFA_MIDDLE, TDDFA_RANGE = 127.5, 128.0
YUNET_SIDE = 320  # pixels of the longer side


class System(Protocol):
    """A system to compare with. look: what is timed for a group; it is prepared here. boxes: (N, 4) of what it
    answered, pixels."""

    name: str
    gives: str

    def look(self, group: GroupPicture) -> Look:
        """A call that finds the faces of a picture, ready to be timed."""

    def boxes(self, answer: Any) -> np.ndarray:
        """(N, 4) boxes x1, y1, x2, y2 in pixels of what that call answers."""


class Mfn:
    """This service's pipeline, without and with a closer look at each face."""

    gives = "box, pose, identity, 46 expressions by name"

    def __init__(self, pipeline: Pipeline, refine: bool) -> None:
        self.pipeline, self.options = pipeline, RetargetOptions(min_score=0.5, max_faces=20, refine=refine)
        self.name = f"MFN {pipeline.models.execution.precision}" + refine * " + SFN, each face refined"

    def look(self, group: GroupPicture) -> Look:
        """A call that runs the whole pipeline on the picture."""
        return partial(self.pipeline.retarget_picture, group.picture, self.options)

    def boxes(self, answer: Any) -> np.ndarray:
        """(N, 4) boxes of the faces."""
        boxes: np.ndarray = answer.faces.box
        return boxes


class MediaPipe:
    """Face Landmarker on single pictures, all outputs on, thresholds as they come."""

    gives = "478 landmarks, 52 blendshapes, head matrix"

    def __init__(self, model: Path, held: ExitStack) -> None:
        """held: closes its landmarkers, whose threads must not outlive the interpreter."""
        import mediapipe

        self.model, self.held, self.name = model, held, f"MediaPipe {mediapipe.__version__} Face Landmarker"

    def look(self, group: GroupPicture) -> Look:
        """A call that runs Face Landmarker on the picture."""
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(self.model)),
            running_mode=vision.RunningMode.IMAGE,
            num_faces=len(group.boxes),
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        pixels = np.ascontiguousarray(group.picture.pixels)
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
        landmarker = self.held.enter_context(vision.FaceLandmarker.create_from_options(options))

        def look() -> tuple[Any, int, int]:
            return landmarker.detect(image), image.width, image.height

        return look

    def boxes(self, answer: Any) -> np.ndarray:
        """(N, 4) boxes around the landmarks."""
        result, width, height = answer
        points = np.array([[(p.x * width, p.y * height) for p in face] for face in result.face_landmarks])
        return np.concatenate([points.min(1), points.max(1)], axis=1) if len(points) else np.zeros((0, 4))


class YunetAndTddfa:
    """YuNet, which finds faces in the picture at 320 pixels, and 3DDFA_V2's network on a crop of each."""

    name = "YuNet 320 + 3DDFA mb05"
    gives = "box, pose, 3DMM coefficients without names"

    def __init__(self, yunet: Path, tddfa: Path) -> None:
        import cv2

        cv2.setNumThreads(1)
        self.cv2, self.yunet = cv2, yunet
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.tddfa = onnxruntime.InferenceSession(tddfa, options, providers=["CPUExecutionProvider"])
        self.input = self.tddfa.get_inputs()[0].name

    def look(self, group: GroupPicture) -> Look:
        """A call that runs the detector and then the landmarks of each face."""
        picture = np.ascontiguousarray(group.picture.pixels[..., ::-1])  # BGR, as OpenCV's users have it
        shrink = YUNET_SIDE / max(picture.shape[:2])
        size = round(picture.shape[1] * shrink), round(picture.shape[0] * shrink)
        detector = self.cv2.FaceDetectorYN.create(str(self.yunet), "", size, score_threshold=0.5)

        def look() -> tuple[np.ndarray, list[np.ndarray]]:
            small = self.cv2.resize(picture, size, interpolation=self.cv2.INTER_LINEAR)
            _, found = detector.detect(small)
            corners = np.zeros((0, 4)) if found is None else found[:, :4] / shrink  # x, y, width, height
            corners = np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:]], axis=1)
            return corners, [self.coefficients(picture, box) for box in corners]

        return look

    def coefficients(self, picture: np.ndarray, box: np.ndarray) -> np.ndarray:
        """(62,) of the face in box (4,): pose, 40 of identity, 10 of expression."""
        size = float((box[2:] - box[:2]).mean())
        side = size * TDDFA_OVER_BOX
        left, top = (box[:2] + box[2:]) / 2 + [0, size * TDDFA_DOWN] - side / 2
        scale = TDDFA_SIDE / side
        into = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        crop = self.cv2.warpAffine(picture, into, (TDDFA_SIDE, TDDFA_SIDE))
        image = (crop.astype(np.float32).transpose(2, 0, 1)[None] - TDDFA_MIDDLE) / TDDFA_RANGE
        (coefficients,) = self.tddfa.run(None, {self.input: image})
        answer: np.ndarray = coefficients[0]
        return answer

    def boxes(self, answer: Any) -> np.ndarray:
        """(N, 4) boxes of the detector."""
        corners: np.ndarray = answer[0]
        return corners


class OpenSeeFace:
    """OpenSeeFace's tracker with the model that it recommends. It is made for a camera: once it has found the faces it
    looks where they were, and searches the whole picture only while some are missing."""

    name = "OpenSeeFace, following"
    gives = "66 landmarks, pose, 14 features"

    def __init__(self, folder: Path) -> None:
        """folder: its repository, with tracker.py and models/. Raises ImportError where that is not in it."""
        self.models = folder / "models"
        sys.path.insert(0, str(folder))  # its modules import each other by their names
        try:
            self.tracker: Any = importlib.import_module("tracker").Tracker
        finally:
            sys.path.remove(str(folder))

    def look(self, group: GroupPicture) -> Look:
        """A call that follows the picture's faces."""
        picture = np.ascontiguousarray(group.picture.pixels[..., ::-1])  # BGR, as its camera gives
        height, width = picture.shape[:2]
        tracker = self.tracker(
            width, height, max_threads=1, max_faces=len(group.boxes), silent=True, model_dir=str(self.models)
        )
        return partial(tracker.predict, picture)

    def boxes(self, answer: Any) -> np.ndarray:
        """(N, 4) boxes around the landmarks, which are y, x and a confidence."""
        points = [np.asarray(face.lms)[:66, 1::-1] for face in answer]
        return np.array([[*face.min(axis=0), *face.max(axis=0)] for face in points]).reshape(-1, 4)
