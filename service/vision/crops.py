"""Upright crops of faces: the Single Face Network's input."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from service.vision.arrays import Array, Pixels
from service.vision.face_model import FaceModel
from service.vision.faces import Faces
from service.vision.image import Picture
from service.vision.letterbox import PAD_GREY
from service.vision.resampling import crop_into
from service.vision.rotation import twist_angle

CROP_SIDE: Final = 128  # pixels of the Single Face Network's square input
# Decoded pixels along the side of a crop that are enough, where a picture could be decoded larger. The landmarks' error
# is 2.637 / 2.632 / 2.643 % where every second photo of landmarks_val is decoded for 128 / 96 / 64 of them.
LEAST_CROP_PIXELS: Final = 96


@dataclass(frozen=True)
class Crop:
    """A square of the picture, rotated so that the head in it is upright.

    centre: (2,) pixels of the picture. side: pixels of the picture. roll: degrees, counter-clockwise as seen, that the
    square is rotated by. Angles and axes are those of service.vision.rotation; y of pixels points down.
    """

    centre: Array
    side: float
    roll: float

    def to_picture(self, points: Array) -> Array:
        """Pixels (..., 2) of the picture of points (..., 2) in the crop of CROP_SIDE pixels."""
        return turned_upright((points - CROP_SIDE / 2) * (self.side / CROP_SIDE), -self.roll) + self.centre

    def sample(self, picture: Picture) -> Pixels:
        """Resamples the crop to RGB pixels (128, 128, 3) uint8, grey outside the picture, without aliasing."""
        crop = np.empty((CROP_SIDE, CROP_SIDE, 3), np.uint8)
        self.sample_into(crop, picture)
        return crop

    def sample_into(self, target: Pixels, picture: Picture) -> None:
        """As sample, to a target (128, 128, 3)."""
        rows, columns = picture.pixels.shape[:2]
        across, down = columns / picture.width, rows / picture.height  # decoded pixels to a pixel of the picture
        roll, half = math.radians(self.roll), CROP_SIDE / 2
        cosine, sine = (f(roll) * self.side / CROP_SIDE for f in (math.cos, math.sin))
        # One pixel to the right in the crop is (a, d) decoded pixels in the picture, one down (b, e).
        a, b, d, e = cosine * across, sine * across, -sine * down, cosine * down
        x, y = float(self.centre[0]) * across, float(self.centre[1]) * down
        left, right = _reach(x, half * (abs(a) + abs(b)), columns)
        top, bottom = _reach(y, half * (abs(d) + abs(e)), rows)
        if left >= right or top >= bottom:
            target[:] = PAD_GREY
            return
        shrink = max(1, int(self.side * max(across, down) / CROP_SIDE))
        c, f = x - half * (a + b) - left, y - half * (d + e) - top
        crop_into(target, picture.pixels[top:bottom, left:right], (a, b, c, d, e, f), shrink, PAD_GREY)


def _reach(centre: float, reach: float, size: int) -> tuple[int, int]:
    """First and end of the whole pixels to both sides of a centre, with two more, in a line of `size` pixels; nothing
    where it is not finite."""
    if not math.isfinite(centre + reach):
        return 0, 0
    first, end = math.floor(centre - reach) - 2, math.ceil(centre + reach) + 2
    return min(size, max(0, first)), min(size, max(0, end))


def crop_around(landmarks: Array, quaternion: Array, crop_factor: float) -> Crop:
    """The crop around projected landmarks (68, 2), pixels, of a head with the rotation quaternion (4,).

    The crop has the centre of the upright landmarks' bounding box, and crop_factor times its longer side.
    """
    (crop,) = crops_around(landmarks[None], quaternion[None], crop_factor)
    return crop


def crops_around(landmarks: Array, quaternion: Array, crop_factor: float) -> list[Crop]:
    """As crop_around, of N heads: (N, 68, 2) and (N, 4)."""
    roll = twist_angle(quaternion).astype(np.float64)
    radians = np.radians(roll)
    turn = np.empty((len(roll), 2, 2))  # as turned_upright
    turn[:, 0, 0] = turn[:, 1, 1] = np.cos(radians)
    turn[:, 1, 0] = np.sin(radians)
    turn[:, 0, 1] = -turn[:, 1, 0]
    upright = turn @ np.swapaxes(landmarks, 1, 2)
    low, high = upright.min(axis=2), upright.max(axis=2)
    side = np.maximum(1.0, crop_factor * (high - low).max(axis=1))
    centre = ((low + high)[:, None] / 2 @ turn)[:, 0]  # turned back
    return [Crop(*crop) for crop in zip(centre, side.tolist(), roll.tolist(), strict=True)]


def crops_of(faces: Faces, face_model: FaceModel, width: int, height: int, crop_factor: float) -> list[Crop]:
    """The crop of each face in a picture of width x height pixels; crop_factor as in crop_around."""
    landmarks = faces.landmarks(face_model, width, height)
    return crops_around(landmarks, faces.quaternion, crop_factor)


def samples(crops: Sequence[Crop], picture: Picture) -> Pixels:
    """The pixels (N, 128, 128, 3) of crops, see Crop.sample."""
    squares = np.empty((len(crops), CROP_SIDE, CROP_SIDE, 3), np.uint8)
    for square, crop in zip(squares, crops, strict=True):
        crop.sample_into(square, picture)
    return squares


def points_in_picture(crops: Sequence[Crop], points: Array) -> Array:
    """Pixels (N, ..., 2) of the picture of points (N, ..., 2), some in each of N crops of CROP_SIDE pixels, or
    (1, ..., 2), the same in each."""
    each = (slice(None), *(None,) * (points.ndim - 2))
    roll = np.array([crop.roll for crop in crops])[each]
    scale = np.array([crop.side / CROP_SIDE for crop in crops])[each]
    turned = turned_upright((points - CROP_SIDE / 2) * scale[..., None], -roll)
    turned += np.array([crop.centre for crop in crops]).reshape(-1, 2)[each]
    return turned


def turned_upright(offsets: Array, roll: Array | float) -> Array:
    """Offsets (..., 2) in the picture as they are in crops that are rotated by roll (...), degrees: clockwise for a
    positive one."""
    radians = np.radians(roll)
    cosine, sine = np.cos(radians), np.sin(radians)
    x, y = offsets[..., 0], offsets[..., 1]
    turned = np.empty(offsets.shape)
    turned[..., 0] = cosine * x - sine * y
    turned[..., 1] = sine * x + cosine * y
    return turned


def side_for(crops: Sequence[Crop], width: int, height: int) -> int:
    """Pixels of the longer side that a picture must be decoded to for each crop to have LEAST_CROP_PIXELS.

    width, height: of the picture as sent, in whose pixels the crops are.
    """
    return math.ceil(max(width, height) * LEAST_CROP_PIXELS / min(crop.side for crop in crops))
