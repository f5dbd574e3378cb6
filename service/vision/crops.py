"""Upright crops of faces: the Single Face Network's input."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from service.vision.arrays import Array, Pixels
from service.vision.face_model import FaceModel
from service.vision.faces import Faces
from service.vision.image import Picture
from service.vision.letterbox import PAD_GREY
from service.vision.rotation import twist_angle

CROP_SIDE: Final = 128  # pixels of the Single Face Network's square input


@dataclass(frozen=True)
class Crop:
    """A square of the picture, rotated so that the head in it is upright.

    centre: (2,) pixels of the picture. side: pixels of the picture. roll: degrees, counter-clockwise as seen, that the
    square is rotated by. Angles and axes are those of service.vision.rotation; y of pixels points down.
    """

    centre: Array
    side: float
    roll: float

    @property
    def upright(self) -> Array:
        """Matrix (2, 2) that rotates offsets in the picture to offsets in the crop: clockwise for a positive roll."""
        c, s = np.cos(np.radians(self.roll)), np.sin(np.radians(self.roll))
        return np.array([[c, -s], [s, c]])

    def to_picture(self, points: Array) -> Array:
        """Pixels (..., 2) of the picture of points (..., 2) in the crop of CROP_SIDE pixels."""
        return (points - CROP_SIDE / 2) * (self.side / CROP_SIDE) @ self.upright + self.centre

    def sample(self, picture: Picture) -> Pixels:
        """Resamples the crop to RGB pixels (128, 128, 3) uint8, grey outside the picture, without aliasing."""
        ratio = np.array([picture.pixels.shape[1] / picture.width, picture.pixels.shape[0] / picture.height])
        corners = self.to_picture(np.array([[0, 0], [CROP_SIDE, 0], [0, CROP_SIDE], [CROP_SIDE, CROP_SIDE]])) * ratio
        grey = (PAD_GREY, PAD_GREY, PAD_GREY)
        size = np.array(picture.pixels.shape[1::-1])
        low = np.clip(np.floor(corners.min(axis=0)) - 2, 0, size).astype(int)
        high = np.clip(np.ceil(corners.max(axis=0)) + 2, 0, size).astype(int)
        if (low >= high).any():
            return np.full((CROP_SIDE, CROP_SIDE, 3), PAD_GREY, np.uint8)
        region = Image.fromarray(picture.pixels[low[1] : high[1], low[0] : high[0]])
        shrink = max(1, int(self.side * ratio.max() / CROP_SIDE))
        if shrink > 1:
            region = region.reduce(shrink)
        x0, x1, y1 = (self.to_picture(np.array(p)) for p in ([0, 0], [1, 0], [0, 1]))  # the transform's columns
        a, d = (x1 - x0) * ratio / shrink
        b, e = (y1 - x0) * ratio / shrink
        c, f = (x0 * ratio - low) / shrink
        transform = Image.Transform.AFFINE
        crop = region.transform(
            (CROP_SIDE, CROP_SIDE), transform, (a, b, c, d, e, f), Image.Resampling.BILINEAR, fillcolor=grey
        )
        return np.asarray(crop)


def crop_around(landmarks: Array, quaternion: Array, crop_factor: float) -> Crop:
    """The crop around projected landmarks (68, 2), pixels, of a head with the rotation quaternion (4,).

    The crop has the centre of the upright landmarks' bounding box, and crop_factor times its longer side.
    """
    roll = float(twist_angle(quaternion))
    turned = Crop(np.zeros(2), 1.0, roll)
    upright = landmarks @ turned.upright.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    side = max(1.0, crop_factor * float((high - low).max()))
    return Crop((low + high) / 2 @ turned.upright, side, roll)


def crops_of(faces: Faces, face_model: FaceModel, width: int, height: int, crop_factor: float) -> list[Crop]:
    """The crop of each face in a picture of width x height pixels; crop_factor as in crop_around."""
    landmarks = faces.landmarks(face_model, width, height)
    return [crop_around(*face, crop_factor) for face in zip(landmarks, faces.quaternion, strict=True)]


def side_for(crops: Sequence[Crop], width: int, height: int) -> int:
    """Pixels of the longer side that a picture must be decoded to for each crop to have at least CROP_SIDE pixels.

    width, height: of the picture as sent, in whose pixels the crops are.
    """
    return math.ceil(max(width, height) * CROP_SIDE / min(crop.side for crop in crops))
