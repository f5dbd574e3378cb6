"""Faces followed from frame to frame by the Single Face Network alone (paper, section 5.2).

A face's crop comes from its landmarks in the frame before; the network finds the face in it, and so on. Nothing adds
up, since each answer stands on the picture: on a still one, twenty steps in a row end within 0.02 face sizes of the
first (112 portraits, models 0.1.0).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Array
from service.vision.crops import CROP_SIDE, Crop, crop_around
from service.vision.face_model import FaceModel
from service.vision.faces import Faces
from service.vision.image import Picture
from service.vision.nms import iou

# The network answers any crop with a face, so its answer is judged by the step from the last one. Measured with models
# 0.1.0 on 112 portraits: all limits together pass 99 % of faces that moved by 15 % of their size, grew by 5 % and
# turned by 8 degrees at once, and refuse all that were covered by background, 92 % of those half covered and 94 % of
# those that became somebody else's. (Likeness alone: 0.90 at the 5th percentile, against 0.51, 0.68 and 0.74 at the
# 95th.) A needless alarm costs a search.
MIN_LIKENESS: Final = 0.6  # of the face's coarse picture before and after
MAX_MOVE: Final = 0.25  # of the landmarks' centre, in face sizes; the crop's edge is near
MAX_GROWTH: Final = 0.15  # of log scale
MAX_TURN: Final = 15.0  # degrees
MAX_STRANGENESS: Final = 3.0  # of identity, as in service.tracking.tracker

COARSE: Final = 8  # cells of a face's coarse picture along a side
FINE: Final = 24  # pixels of the picture that are looked at for them along a side
FAINT: Final = 30.0  # grey levels squared; faces of less contrast, 4 levels, have no likeness to lose


@dataclass(frozen=True)
class Followed:
    """N faces as the networks see them, to be found again in the next frame.

    landmarks: (N, 68, 2) pixels. frame: (N, 4) the Multiple Face Network's box in that of the landmarks: its centre and
    its size, both in the latter's width and height. patch: (N, 8, 8) each face in grey, upright.
    """

    faces: Faces
    landmarks: Array
    frame: Array
    patch: Array

    @classmethod
    def found(cls, faces: Faces, picture: Picture, face_model: FaceModel) -> "Followed":
        """Faces from a search, refined."""
        landmarks = faces.landmarks(face_model, picture.width, picture.height)
        centre, size = _centre_and_size(landmarks)
        corners = faces.box.reshape(-1, 2, 2)
        frame = np.concatenate([(corners.mean(axis=1) - centre) / size, np.ptp(corners, axis=1) / size], axis=-1)
        return cls(faces, landmarks, frame, _patches(picture, landmarks, faces.quaternion))

    def then(self, faces: Faces, picture: Picture, face_model: FaceModel) -> "Followed":
        """The same faces, refined in a later picture: their boxes go with their landmarks."""
        landmarks = faces.landmarks(face_model, picture.width, picture.height)
        centre, size = _centre_and_size(landmarks)
        centre, half = centre + self.frame[:, :2] * size, self.frame[:, 2:] * size / 2
        box = np.concatenate([centre - half, centre + half], axis=-1).astype(np.float32)
        patch = _patches(picture, landmarks, faces.quaternion)
        return replace(self, faces=replace(faces, box=box), landmarks=landmarks, patch=patch)

    def lost(self, later: "Followed", strangeness: Array, max_iou: float) -> NDArray[np.bool_]:
        """(N,) which of the faces a later frame's are not: its network looked at something else.

        strangeness: (N,) of the later identities to their tracks, in standard deviations. max_iou: of the boxes of two
        faces; beyond it, both crops have come to hold one and the same.
        """
        (centre, size), (later_centre, _) = _centre_and_size(self.landmarks), _centre_and_size(later.landmarks)
        move = np.linalg.norm(later_centre - centre, axis=-1) / np.sqrt(size.prod(axis=-1))
        growth = np.abs(np.log(later.faces.scale / self.faces.scale))
        cosine = np.abs((self.faces.quaternion * later.faces.quaternion).sum(axis=-1))
        turn = np.degrees(2 * np.arccos(np.minimum(cosine, 1)))
        box = later.faces.box
        others = (iou(box, box) * ~np.eye(len(box), dtype=bool)).max(axis=1, initial=0)
        good: NDArray[np.bool_] = (
            (likeness(self.patch, later.patch) >= MIN_LIKENESS)
            & (move <= MAX_MOVE)
            & (growth <= MAX_GROWTH)
            & (turn <= MAX_TURN)
            & (strangeness <= MAX_STRANGENESS)
            & (others <= max_iou)
        )
        return ~good  # a NaN anywhere is good for nothing


def likeness(patch: Array, later: Array) -> Array:
    """(N,) 1 for equal grey patches (N, 8, 8), 0 for unrelated ones: SSIM without its term of brightness (Wang, Bovik,
    Sheikh and Simoncelli, "Image Quality Assessment", IEEE Transactions on Image Processing 13, 2004)."""
    a, b = (x - x.mean(axis=(1, 2), keepdims=True) for x in (patch, later))
    together, alone = 2 * (a * b).mean(axis=(1, 2)), (a**2 + b**2).mean(axis=(1, 2))
    likeness: Array = (together + FAINT) / (alone + FAINT)
    return likeness


def _centre_and_size(landmarks: Array) -> tuple[Array, Array]:
    """(N, 2) each, pixels, of the boxes around landmarks (N, 68, 2)."""
    low, high = landmarks.min(axis=1), landmarks.max(axis=1)
    return (low + high) / 2, np.maximum(high - low, 1e-3)


def _patches(picture: Picture, landmarks: Array, quaternion: Array) -> Array:
    """(N, 8, 8) mean grey of the squares around landmarks (N, 68, 2), turned upright; the edge goes on outside."""
    axis = (np.arange(FINE) + 0.5) * CROP_SIDE / FINE
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    crops: list[Crop] = [crop_around(*face, 1.0) for face in zip(landmarks, quaternion, strict=True)]
    points = np.array([crop.to_picture(grid) for crop in crops]).reshape(-1, FINE, FINE, 2)
    height, width = picture.pixels.shape[:2]
    ratio = np.array([width / picture.width, height / picture.height])
    x, y = np.moveaxis(np.clip(points * ratio, 0, [width - 1, height - 1]).astype(int), -1, 0)
    cells = (len(points), COARSE, FINE // COARSE, COARSE, FINE // COARSE)
    grey: Array = picture.pixels[y, x, 1].reshape(cells).mean(axis=(2, 4))  # green is nearest to brightness
    return grey
