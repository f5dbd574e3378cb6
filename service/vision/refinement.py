"""Refinement: the Single Face Network's estimates of faces, blended with the Multiple Face Network's."""

from typing import Final

import numpy as np

from service.vision.arrays import Array
from service.vision.crops import CROP_SIDE, Crop, points_in_picture
from service.vision.decoding import Priors, RawOutputs, decode_pose, sigmoid
from service.vision.faces import Faces, translation
from service.vision.gaze import no_gaze
from service.vision.rotation import align_sign, multiply, normalize, roll_to_quaternion

# Weight of the Multiple Face Network's estimate of pose and identity beside the Single Face Network's. Their errors
# differ, so the blend is nearer to the truth than either is. On faces from the front and on turned_val any weight from
# 0.15 to 0.3 does about the same, 1 to 4 % better than none; on profiles of multi_val, against another network's
# points, 0.1 to 0.15 is best and 0.25 no longer helps. Expressions are not blended: the Multiple Face Network's are too
# weak.
MFN_WEIGHT: Final = np.float32(0.15)

# The one prior of every crop: a face of its size in its middle.
CROP_PRIOR: Final = Priors(np.full((1, 2), CROP_SIDE / 2, np.float32), np.full((1, 2), CROP_SIDE, np.float32))


def apply_refinement(
    faces: Faces, crops: list[Crop], raw: RawOutputs, width: int, height: int, field_of_view: float
) -> Faces:
    """Replaces pose, identity, expression and gaze of faces by the Single Face Network's; boxes and scores stay.

    crops: of the faces, in their order. raw: the network's outputs for them: "pose" (N, 7), "identity" (N, 50),
    "expression" (N, 46) and "gaze" (N, 8), which networks of models before 0.6 do not have. width, height: of the
    picture, pixels. field_of_view: degrees, see service.vision.faces.translation.
    """
    pose = decode_pose(raw["pose"], CROP_PRIOR.centre, CROP_PRIOR.scale)
    turn = roll_to_quaternion([crop.roll for crop in crops])
    scale = pose.scale * np.array([crop.side / CROP_SIDE for crop in crops], np.float32)
    origin = points_in_picture(crops, pose.origin)
    return Faces(
        score=faces.score,
        box=faces.box,
        quaternion=normalize(multiply(turn, pose.quaternion)).astype(np.float32),
        translation=translation(origin, scale, width, height, field_of_view),
        scale=scale,
        identity=raw["identity"],
        expression=sigmoid(raw["expression"]),
        gaze=sigmoid(raw["gaze"]) if "gaze" in raw else no_gaze(len(crops)),
    )


def blend_estimates(coarse: Faces, refined: Faces) -> Faces:
    """Blends two estimates of the same faces: the refined ones, their pose and identity moved by MFN_WEIGHT toward
    the coarse ones.

    coarse: of the Multiple Face Network. refined: of the Single Face Network.
    """
    return Faces(
        score=refined.score,
        box=refined.box,
        quaternion=normalize(_blend(align_sign(refined.quaternion, coarse.quaternion), refined.quaternion)),
        translation=_blend(coarse.translation, refined.translation),
        scale=1 / _blend(1 / coarse.scale, 1 / refined.scale),  # depth is blended, which is inverse to scale
        identity=_blend(coarse.identity, refined.identity),
        expression=refined.expression,
        gaze=refined.gaze,
    )


def _blend(coarse: Array, refined: Array) -> Array:
    blended: Array = refined + MFN_WEIGHT * (coarse - refined)
    return blended
