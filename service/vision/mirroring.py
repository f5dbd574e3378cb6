"""Turned heads in the mirror image, too: the Single Face Network's answers for both, averaged.

What the network errs by in a crop and in its mirror image differs, so that the mean of both errs less (test-time
augmentation, as by Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012, section
4.1). Of heads turned beyond 30 degrees the landmarks are 2 to 6 % nearer to the truth by it, on photos as on
turned_val; of others 1 to 3 %, which is not worth as much time again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.vision.gaze import GAZE_NAMES
from service.vision.letterbox import Pixels
from service.vision.rotation import Array, quaternion_to_euler

MIRROR_YAW: Final = 30.0  # degrees of yaw
ASYMMETRIC_IDENTITY_MODES: Final = (9, 20, 25, 28, 33, 37, 43, 45)  # of the face model: their sign flips
_SIDES: Final = {"_L": "_R", "_R": "_L", "Left": "Right", "Right": "Left"}


def mirror_partners(names: Sequence[str]) -> NDArray[np.intp]:
    """(C,) index of the coefficient that takes each one's place when the face is mirrored."""

    def partner(name: str) -> str:
        for side, other in _SIDES.items():
            if name.endswith(side):
                return name.removesuffix(side) + other
        return name

    return np.array([list(names).index(partner(name)) for name in names])


GAZE_PARTNERS: Final = mirror_partners(GAZE_NAMES)


def is_turned(quaternion: Array) -> NDArray[np.bool_]:
    """(N,) which of heads (N, 4) are turned beyond TURNED."""
    beyond: NDArray[np.bool_] = np.abs(quaternion_to_euler(quaternion)[0]) > MIRROR_YAW
    return beyond


def mirrored_back(raw: Mapping[str, Array], expression_partners: NDArray[np.intp]) -> dict[str, Array]:
    """The network's raw answers for crops, from those for their mirror images: see service.vision.crops.refined."""
    pose, identity = raw["pose"].copy(), raw["identity"].copy()
    pose[:, [1, 2, 4]] *= -1  # y and z of the quaternion, and the origin's x
    identity[:, ASYMMETRIC_IDENTITY_MODES] *= -1
    back = {"pose": pose, "identity": identity, "expression": raw["expression"][:, expression_partners]}
    return back | ({"gaze": raw["gaze"][:, GAZE_PARTNERS]} if "gaze" in raw else {})


def run_with_mirror(
    run: Callable[[Pixels], Mapping[str, Array]],
    crops: Pixels,
    twice: NDArray[np.bool_],
    expression_partners: NDArray[np.intp],
) -> dict[str, Array]:
    """The raw answers of a network for crops (N, S, S, 3); those of `twice` (N,) are the mean of two looks."""
    count, rows = len(crops), np.flatnonzero(twice)
    if not len(rows):
        return dict(run(crops))
    raw = run(np.concatenate([crops, crops[rows, :, ::-1]]))
    back = mirrored_back({name: values[count:] for name, values in raw.items()}, expression_partners)
    merged = {name: values[:count].copy() for name, values in raw.items()}
    for name, values in merged.items():
        values[rows] = (values[rows] + back[name]) / 2
    return merged
