"""A second look at each face: an upright crop of it for the Single Face Network, and its answer turned back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from PIL import Image

from service.vision.decoding import Pose, Priors, Raw, decode_pose, sigmoid
from service.vision.face_model import FaceModel
from service.vision.faces import Faces, translation
from service.vision.gaze import no_gaze
from service.vision.image import Picture
from service.vision.letterbox import PAD_GREY, Pixels
from service.vision.rotation import Array, align_sign, euler_to_quaternion, multiply, normalize, twist_angle

CROP_SIDE: Final = 128  # pixels of the Single Face Network's square input
# What the first look still counts beside the second in a head's pose and identity. The two err apart: together they are
# nearer to the truth than either is. On faces from the front and on turned_val any share from 0.15 to 0.3 does about
# the same, 1 to 4 % better than none; on profiles of multi_val, against another network's points, 0.1 to 0.15 is best
# and 0.25 no help any more. Expressions are muted in the first look.
MFN_WEIGHT: Final = 0.15


@dataclass(frozen=True)
class Crop:
    """A square of the picture, turned so that the head in it is upright.

    centre: (2,) pixels of the picture. side: pixels of the picture. roll: degrees, counter-clockwise as seen, that
    the square is turned by. Angles and axes as in service.vision.rotation; y of pixels points down.
    """

    centre: Array
    side: float
    roll: float

    @property
    def upright(self) -> Array:
        """(2, 2) turns offsets in the picture into offsets in the crop: clockwise as seen, for a positive roll."""
        c, s = np.cos(np.radians(self.roll)), np.sin(np.radians(self.roll))
        return np.array([[c, -s], [s, c]])

    def to_picture(self, points: Array) -> Array:
        """Pixels (..., 2) of the picture of points (..., 2) in the crop of CROP_SIDE pixels."""
        return (points - CROP_SIDE / 2) * (self.side / CROP_SIDE) @ self.upright + self.centre

    def sample(self, picture: Picture) -> Pixels:
        """The crop (128, 128, 3) uint8; grey outside the picture. Shrinks by averaging, then interpolates."""
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
    """The crop around projected landmarks (68, 2), pixels, of a head with this rotation (4,).

    Turned upright, their bounding box has the crop's centre; the crop's side is crop_factor times its longer one.
    """
    roll = float(twist_angle(quaternion))
    turned = Crop(np.zeros(2), 1.0, roll)
    upright = landmarks @ turned.upright.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    side = max(1.0, crop_factor * float((high - low).max()))
    return Crop((low + high) / 2 @ turned.upright, side, roll)


def crops_of(faces: Faces, face_model: FaceModel, width: int, height: int, crop_factor: float) -> list[Crop]:
    """The crop of each face, in a picture of width x height pixels."""
    landmarks = faces.landmarks(face_model, width, height)
    return [crop_around(*face, crop_factor) for face in zip(landmarks, faces.quaternion, strict=True)]


def side_for(crops: Sequence[Crop], width: int, height: int) -> int:
    """Pixels that the longer side of a picture must be decoded to for each crop to be of at least CROP_SIDE of them.

    width, height: of the picture, in whose pixels the crops are.
    """
    return math.ceil(max(width, height) * CROP_SIDE / min(crop.side for crop in crops))


def apply_refinement(faces: Faces, crops: list[Crop], raw: Raw, width: int, height: int, field_of_view: float) -> Faces:
    """The faces with pose, identity, expression and gaze of the Single Face Network's raw outputs for their crops.

    raw: "pose" (N, 7), "identity" (N, 50), "expression" (N, 46), "gaze" (N, 8), which networks of models before 0.6
    do not have. Boxes and scores stay.
    """
    number = len(crops)
    prior = Priors(
        centre=np.full((number, 2), CROP_SIDE / 2, np.float32), size=np.full((number, 2), CROP_SIDE, np.float32)
    )
    pose: Pose = decode_pose(raw["pose"], prior)
    roll = np.array([crop.roll for crop in crops])
    turn = euler_to_quaternion(np.zeros(number), np.zeros(number), roll)
    scale = pose.scale * np.array([crop.side / CROP_SIDE for crop in crops], np.float32)
    origin = np.stack([crop.to_picture(point) for crop, point in zip(crops, pose.origin, strict=True)])
    return replace(
        faces,
        quaternion=normalize(multiply(turn, pose.quaternion)).astype(np.float32),
        translation=translation(origin, scale, width, height, field_of_view),
        scale=scale,
        identity=raw["identity"],
        expression=sigmoid(raw["expression"]),
        gaze=sigmoid(raw["gaze"]) if "gaze" in raw else no_gaze(number),
    )


def blend_estimates(first: Faces, second: Faces) -> Faces:
    """What two looks at the same faces of the same picture say together: the second one's faces, their pose and
    identity moved by FIRST_LOOK toward the first one's."""
    return replace(
        second,
        quaternion=normalize(_mean(align_sign(second.quaternion, first.quaternion), second.quaternion)),
        translation=_mean(first.translation, second.translation),
        scale=1 / _mean(1 / first.scale, 1 / second.scale),  # as depth, which is inverse to it
        identity=_mean(first.identity, second.identity),
    )


def _mean(first: Array, second: Array) -> Array:
    mean: Array = second + np.float32(MFN_WEIGHT) * (first - second)
    return mean
