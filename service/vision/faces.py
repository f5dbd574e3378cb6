"""Faces in the coordinates of the picture as sent: what every response is made of."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Array
from service.vision.decoding import Candidates, Pose
from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES, RIGHT_DOWN, FaceModel, project
from service.vision.gaze import GAZE_COEFFICIENTS, no_gaze
from service.vision.letterbox import Letterbox


@dataclass(frozen=True)
class Face:
    """One face.

    score: in [0, 1]. box: (4,) x1, y1, x2, y2 in pixels. quaternion: (4,) [x, y, z, w], unit, head to camera.
    translation: (3,) cm. scale: pixels per cm. identity: (50,) standard deviations. expression: (46,) in [0, 1].
    gaze: (8,) in [0, 1] in the order of GAZE_NAMES; all NaN where the face was not refined, see service.vision.gaze.
    """

    score: float
    box: Array
    quaternion: Array
    translation: Array
    scale: float
    identity: Array
    expression: Array
    gaze: Array


@dataclass(frozen=True)
class Faces:
    """N faces in descending score, one row each in arrays of float32.

    score: (N,). box: (N, 4). quaternion: (N, 4). translation: (N, 3). scale: (N,). identity: (N, 50).
    expression: (N, 46). gaze: (N, 8). Units are those of Face.
    """

    score: Array
    box: Array
    quaternion: Array
    translation: Array
    scale: Array
    identity: Array
    expression: Array
    gaze: Array

    @classmethod
    def none(cls) -> Self:
        """No faces, N = 0."""
        widths = ((), (4,), (4,), (3,), (), (IDENTITY_MODES,), (EXPRESSIONS,), (GAZE_COEFFICIENTS,))
        return cls(*(np.zeros((0, *width), np.float32) for width in widths))

    def __len__(self) -> int:
        return len(self.score)

    def __getitem__(self, i: int) -> Face:
        return Face(
            float(self.score[i]),
            self.box[i],
            self.quaternion[i],
            self.translation[i],
            float(self.scale[i]),
            self.identity[i],
            self.expression[i],
            self.gaze[i],
        )

    def take(self, index: NDArray[np.intp]) -> "Faces":
        """The faces of an index, in its order."""
        return Faces(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    def __iter__(self) -> Iterator[Face]:
        return (self[i] for i in range(len(self)))

    def landmarks(self, face_model: FaceModel, width: int, height: int) -> Array:
        """The 68 landmarks (N, 68, 2) of each face in pixels of a picture of width x height pixels."""
        shape = face_model.landmarks.shape(self.identity, self.expression)
        return project(shape, self.quaternion, self.translation, self.scale, width, height)


def focal_length(height: int, field_of_view: float) -> float:
    """Focal length in pixels of a camera with a vertical field of view, degrees, for pictures height pixels high."""
    return height / 2 / math.tan(math.radians(field_of_view) / 2)


def translation(origin: Array, scale: Array, width: int, height: int, field_of_view: float) -> Array:
    """Translations (N, 3) in cm of heads whose origin projects to origin (N, 2), pixels, at scale (N,), pixels per cm.

    width, height: of the picture, pixels. Depth cannot be observed under weak perspective; it is that of a camera with
    the vertical field_of_view, degrees.
    """
    centimetres = np.empty((len(scale), 3), np.float32)
    offset = origin - np.array([width / 2, height / 2], origin.dtype)
    centimetres[:, :2] = offset / (scale[:, None] * RIGHT_DOWN)
    centimetres[:, 2] = -focal_length(height, field_of_view) / scale
    return centimetres


def to_image_space(candidates: Candidates, letterbox: Letterbox, field_of_view: float) -> Faces:
    """Converts candidates in the network's input to faces in the picture that the letterbox holds, without gaze.

    field_of_view: vertical, degrees.
    """
    pose: Pose = candidates.pose
    scale = (pose.scale / letterbox.scale).astype(np.float32, copy=False)
    origin = letterbox.to_picture(pose.origin)
    return Faces(
        score=candidates.score,
        box=letterbox.to_picture(candidates.box.reshape(-1, 2)).reshape(-1, 4),
        quaternion=pose.quaternion,
        translation=translation(origin, scale, letterbox.width, letterbox.height, field_of_view),
        scale=scale,
        identity=candidates.identity,
        expression=candidates.expression,
        gaze=no_gaze(len(candidates.score)),
    )
