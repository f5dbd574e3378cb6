"""Follows faces from frame to frame with the Single Face Network alone (paper, section 5.2).

A face is cropped around its landmarks in the previous frame, and the network estimates its landmarks in this one.
Errors do not accumulate, since each estimate is made from the picture: on a still picture, twenty steps in a row end
within 0.02 face sizes of the first (112 portraits, models 0.1.0).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Array
from service.vision.crops import CROP_SIDE, crops_around, points_in_picture
from service.vision.face_model import FaceModel
from service.vision.faces import Faces
from service.vision.image import Picture
from service.vision.nms import iou

# Limits of the change from one frame to the next. The network estimates a face in any crop, so a face counts as lost
# where the change is implausible. Measured with models 0.1.0 on 112 portraits: all limits together pass 99 % of faces
# that moved by 15 % of their size, grew by 5 % and turned by 8 degrees at once, and reject all that were covered by
# background, 92 % of those half covered and 94 % of those replaced by another person's. (Similarity alone: 0.90 at the
# 5th percentile, against 0.51, 0.68 and 0.74 at the 95th.) A false alarm costs a detection.
MIN_SIMILARITY: Final = 0.6  # of the face's patch in both frames, see similarity
MAX_MOVE: Final = 0.25  # face sizes, of the landmarks' centre; beyond it, the face reaches the crop's edge
MAX_GROWTH: Final = 0.15  # of log scale
MAX_TURN: Final = 15.0  # degrees
MAX_IDENTITY_DISTANCE: Final = 3.0  # standard deviations, see service.tracking.tracker

PATCH_SIDE: Final = 8  # cells along a side of a face's grey patch
PATCH_SAMPLES: Final = 24  # pixels of the picture along a side that these are averaged from
_AXIS: Final = (np.arange(PATCH_SAMPLES) + 0.5) * CROP_SIDE / PATCH_SAMPLES
PATCH_POINTS: Final = np.stack(np.meshgrid(_AXIS, _AXIS), axis=-1)  # (24, 24, 2) of these pixels in a crop
SIMILARITY_FLOOR: Final = 30.0  # grey levels squared; the constant that keeps SSIM stable for patches without contrast


@dataclass(frozen=True)
class FollowedFaces:
    """N faces of a frame, unsmoothed, to be followed into the next one.

    landmarks: (N, 68, 2) pixels. frame: (N, 4) the detected box relative to the landmarks' box: offset of its centre
    and its size, both in widths and heights of the latter. patch: (N, 8, 8) grey levels of each face, upright.
    """

    faces: Faces
    landmarks: Array
    frame: Array
    patch: Array

    @classmethod
    def from_detection(cls, faces: Faces, picture: Picture, face_model: FaceModel) -> "FollowedFaces":
        """Starts to follow faces that were detected and refined in a picture."""
        landmarks = faces.landmarks(face_model, picture.width, picture.height)
        centre, size = _centre_and_size(landmarks)
        corners = faces.box.reshape(-1, 2, 2)
        low, high = corners[:, 0], corners[:, 1]
        frame = np.concatenate([((low + high) / 2 - centre) / size, (high - low) / size], axis=-1)
        return cls(faces, landmarks, frame, _patches(picture, landmarks, faces.quaternion))

    def updated(self, faces: Faces, picture: Picture, face_model: FaceModel) -> "FollowedFaces":
        """The same faces, refined in a later picture; their boxes move with their landmarks."""
        landmarks = faces.landmarks(face_model, picture.width, picture.height)
        centre, size = _centre_and_size(landmarks)
        centre, half = centre + self.frame[:, :2] * size, self.frame[:, 2:] * size / 2
        box = np.concatenate([centre - half, centre + half], axis=-1).astype(np.float32)
        patch = _patches(picture, landmarks, faces.quaternion)
        return replace(self, faces=replace(faces, box=box), landmarks=landmarks, patch=patch)

    def take(self, index: NDArray[np.intp]) -> "FollowedFaces":
        """The faces of an index, in its order."""
        return FollowedFaces(self.faces.take(index), self.landmarks[index], self.frame[index], self.patch[index])

    def lost(self, later: "FollowedFaces", identity_distance: Array, max_iou: float) -> NDArray[np.bool_]:
        """Whether each face is lost in a later frame, (N,): whether the network has estimated something else there.

        identity_distance: (N,) of the later identities from those of their tracks, in standard deviations. max_iou: of
        the boxes of two faces; beyond it, both crops hold the same face.
        """
        (centre, size), (later_centre, _) = _centre_and_size(self.landmarks), _centre_and_size(later.landmarks)
        offset = later_centre - centre
        move = np.sqrt(np.vecdot(offset, offset) / (size[:, 0] * size[:, 1]))
        growth = np.abs(np.log(later.faces.scale / self.faces.scale))
        cosine = np.abs(np.vecdot(self.faces.quaternion, later.faces.quaternion))
        turn = np.degrees(2 * np.arccos(np.minimum(cosine, 1)))
        box = later.faces.box
        others = (iou(box, box) * ~np.eye(len(box), dtype=bool)).max(axis=1, initial=0)
        kept: NDArray[np.bool_] = (
            (similarity(self.patch, later.patch) >= MIN_SIMILARITY)
            & (move <= MAX_MOVE)
            & (growth <= MAX_GROWTH)
            & (turn <= MAX_TURN)
            & (identity_distance <= MAX_IDENTITY_DISTANCE)
            & (others <= max_iou)
        )
        return ~kept  # so that a NaN counts as lost


def similarity(patch: Array, later: Array) -> Array:
    """Structural similarity (N,) of grey patches (N, 8, 8): 1 for equal ones, 0 for unrelated ones.

    It is SSIM without its luminance term (Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment", IEEE
    Transactions on Image Processing 13, 2004).
    """
    a, b = (x - x.mean(axis=(1, 2), keepdims=True) for x in (patch, later))
    covariance, variances = (a * b).mean(axis=(1, 2)), (a**2 + b**2).mean(axis=(1, 2))
    ssim: Array = (2 * covariance + SIMILARITY_FLOOR) / (variances + SIMILARITY_FLOOR)
    return ssim


def _centre_and_size(landmarks: Array) -> tuple[Array, Array]:
    """Centres and sizes (N, 2) in pixels of the boxes around landmarks (N, 68, 2)."""
    low, high = landmarks.min(axis=1), landmarks.max(axis=1)
    return (low + high) / 2, np.maximum(high - low, 1e-3)


def _patches(picture: Picture, landmarks: Array, quaternion: Array) -> Array:
    """Mean grey levels (N, 8, 8) of upright squares around landmarks (N, 68, 2); edge pixels repeat outside."""
    points = points_in_picture(crops_around(landmarks, quaternion, 1.0), PATCH_POINTS[None])
    height, width = picture.pixels.shape[:2]
    x = _indices(points[..., 0], width / picture.width, width)
    y = _indices(points[..., 1], height / picture.height, height)
    cells = (len(points), PATCH_SIDE, PATCH_SAMPLES // PATCH_SIDE, PATCH_SIDE, PATCH_SAMPLES // PATCH_SIDE)
    grey: Array = picture.pixels[y, x, 1].reshape(cells).mean(axis=(2, 4))  # green is closest to luminance
    return grey


def _indices(coordinates: Array, ratio: float, count: int) -> NDArray[np.intp]:
    """Which of `count` decoded pixels in a line lie at coordinates in pixels of the picture, or nearest to them.

    ratio: decoded pixels to one of the picture.
    """
    places: Array = coordinates * ratio
    return np.minimum(np.maximum(places, 0), count - 1).astype(np.intp)
