"""ARKit's 52 blend shapes in [0, 1], derived from the face model's 46 expressions and the gaze.

eyeLook* are the gaze of refined faces. Of other faces the lids' eyeLookDown stands for both eyes' eyeLookDown, and the
rest of eyeLook* is 0: nothing better is known.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from service.vision.arrays import Array
from service.vision.gaze import GAZE_NAMES, has_gaze

# In ARKit's spelling and alphabetical order; clients match by name.
ARKIT_NAMES: Final = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight",
    "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip

GAZE: Final = slice(ARKIT_NAMES.index(GAZE_NAMES[0]), ARKIT_NAMES.index(GAZE_NAMES[-1]) + 1)  # columns of eyeLook*

NEVER_OBSERVED: Final = ("tongueOut",)  # always 0
# Not observed of a face without gaze: eyeLook*, except eyeLookDown, which lowered lids show. These are 0, too.
WITHOUT_GAZE: Final = (*(name for name in GAZE_NAMES if not name.startswith("eyeLookDown")), *NEVER_OBSERVED)


def unobserved(gaze: Array) -> tuple[str, ...]:
    """ARKit's names that are 0 because they were not observed.

    gaze: (N, 8) of the faces, which all have one or all have none.
    """
    return NEVER_OBSERVED if len(gaze) and has_gaze(gaze).all() else WITHOUT_GAZE


def blendshapes(expression: Array, gaze: Array, matrix: Array) -> Array:
    """ARKit's weights (..., 52) in the order of ARKIT_NAMES.

    expression: (..., 46). gaze: (..., 8), a row of NaN for a face without gaze. matrix: (46, 52), see arkit_matrix.
    """
    weights: Array = expression @ matrix
    np.copyto(weights[..., GAZE], gaze, where=has_gaze(gaze)[..., None])
    return weights


def arkit_matrix(expression_names: Sequence[str]) -> Array:
    """Matrix (46, 52) float32 that multiplies expressions into ARKit's weights of a face without gaze.

    Raises ValueError where a name of expression_names has no counterpart among ARKit's, or an observed name of ARKit's
    has none in expression_names.
    """
    matrix = np.zeros((len(expression_names), len(ARKIT_NAMES)), np.float32)
    for row, name in enumerate(expression_names):
        for arkit, weight in _targets(name):
            if arkit not in ARKIT_NAMES:
                raise ValueError(f"the expression {name} has no place among ARKit's names")
            matrix[row, ARKIT_NAMES.index(arkit)] = weight
    zero = {ARKIT_NAMES[column] for column in np.flatnonzero(matrix.sum(axis=0) == 0)}
    if missing := sorted(zero - set(WITHOUT_GAZE)):
        raise ValueError(f"no expression gives ARKit's {', '.join(missing)}")
    return matrix


def _targets(name: str) -> tuple[tuple[str, float], ...]:
    """ARKit's names that an expression of the face model contributes to, each with its weight."""
    if name in ("browInnerUp_L", "browInnerUp_R", "cheekPuff_L", "cheekPuff_R"):
        return ((name[:-2], 0.5),)  # ARKit has one for both halves: their mean
    if name == "eyeLookDown":
        return ((f"{name}Left", 1.0), (f"{name}Right", 1.0))
    return ((name.removesuffix("_L") + "Left" if name.endswith("_L") else
             name.removesuffix("_R") + "Right" if name.endswith("_R") else name, 1.0),)  # fmt: skip
