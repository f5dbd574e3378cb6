"""Faces in the frame of the picture as sent: what every answer is made of."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.vision.decoding import Candidates, Pose
from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES, FaceModel, project
from service.vision.gaze import LOOKS, no_gaze
from service.vision.letterbox import Letterbox
from service.vision.rotation import Array


@dataclass(frozen=True)
class Face:
    """One face. score in [0, 1]. box: (4,) x1, y1, x2, y2 pixels. quaternion: (4,) [x, y, z, w], head to camera.
    translation: (3,) cm. scale: pixels a cm. identity: (50,) standard deviations. expression: (46,) in [0, 1].
    gaze: (8,) in [0, 1] in the order of GAZE_NAMES, all NaN where no second look was taken, see service.vision.gaze."""

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
    """N faces in descending score, a row each in arrays of float32: score (N,), box (N, 4), quaternion (N, 4),
    translation (N, 3), scale (N,), identity (N, 50), expression (N, 46), gaze (N, 8); units as in Face."""

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
        widths = ((), (4,), (4,), (3,), (), (IDENTITY_MODES,), (EXPRESSIONS,), (LOOKS,))
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
        return Faces(*(getattr(self, field.name)[index] for field in fields(self)))

    def __iter__(self) -> Iterator[Face]:
        return (self[i] for i in range(len(self)))

    def landmarks(self, face_model: FaceModel, width: int, height: int) -> Array:
        """(N, 68, 2) pixels of the 68 landmarks in the picture of width x height pixels."""
        shape = face_model.landmarks.shape(self.identity, self.expression)
        return project(shape, self.quaternion, self.translation, self.scale, width, height)


def focal_length(height: int, field_of_view: float) -> float:
    """Pixels, of a camera that sees field_of_view degrees from the top of the picture to its bottom."""
    return float(height / 2 / np.tan(np.radians(field_of_view) / 2))


def translation(origin: Array, scale: Array, width: int, height: int, field_of_view: float) -> Array:
    """(N, 3) cm of heads whose origin projects to pixels origin (N, 2), at scale (N,) pixels a cm.

    Depth cannot be seen under weak perspective; it is reported for a camera with the given field of view, degrees.
    """
    x = (origin[:, 0] - width / 2) / scale
    y = (height / 2 - origin[:, 1]) / scale
    return np.stack([x, y, -focal_length(height, field_of_view) / scale], axis=-1).astype(np.float32)


def to_image_space(candidates: Candidates, letterbox: Letterbox, field_of_view: float) -> Faces:
    """Candidates in the network's input to faces in the picture that the letterbox holds; none has a gaze yet."""
    pose: Pose = candidates.pose
    scale = (pose.scale / letterbox.scale).astype(np.float32)
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
