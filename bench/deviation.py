"""How far faces are from those of a reference, such as the same network's in float32."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.vision.faces import Faces
from service.vision.nms import iou
from training.evaluation.poses import rotation_error

LEAST_IOU = 0.5  # of boxes of the same face: those of two faces overlap less, as suppression leaves them


@dataclass(frozen=True)
class Deviation:
    """Holds how answers deviate from a reference. faces: in the answers. expected: in the reference. found: those of
    them that the answers have, too. Means over the faces found, NaN where there are none: iou, of boxes; rotation,
    degrees; expression, absolute difference of the 46 coefficients."""

    faces: int
    expected: int
    found: int
    iou: float
    rotation: float
    expression: float


def deviation(answers: Sequence[Faces], reference: Sequence[Faces]) -> Deviation:
    """Over all pictures. answers, reference: the faces of each picture, in the same order of pictures."""
    each = np.concatenate([differences(*pair) for pair in zip(answers, reference, strict=True)])
    means = each.mean(axis=0) if len(each) else np.full(3, np.nan)
    return Deviation(sum(map(len, answers)), sum(map(len, reference)), len(each), *means.tolist())


def differences(faces: Faces, expected: Faces) -> np.ndarray:
    """(M, 3) of the M faces that both have: IoU of boxes, degrees between rotations, mean difference of expressions.

    A face is the same where each box is the one that overlaps the other most, by at least LEAST_IOU.
    """
    overlaps = iou(expected.box, faces.box)
    best = (overlaps == overlaps.max(axis=0, initial=LEAST_IOU)) & (
        overlaps == overlaps.max(axis=1, initial=LEAST_IOU, keepdims=True)
    )
    theirs, ours = np.nonzero(best)
    rotation = rotation_error(faces.quaternion[ours].astype(float), expected.quaternion[theirs].astype(float))
    expression = np.abs(faces.expression[ours] - expected.expression[theirs]).mean(axis=-1)
    return np.stack([overlaps[best], rotation, expression], axis=-1)
