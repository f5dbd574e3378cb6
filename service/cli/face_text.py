"""Text about a face, for terminals."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from service.vision.faces import Face
from service.vision.rotation import quaternion_to_euler

STRONGEST: Final = 3  # number of coefficients that are named


def angles_of(face: Face) -> tuple[int, int, int]:
    """Yaw, pitch and roll in whole degrees."""
    yaw, pitch, roll = (round(float(angle)) for angle in quaternion_to_euler(face.quaternion))
    return yaw, pitch, roll


def strongest_of(face: Face, expression_names: Sequence[str]) -> str:
    """The strongest coefficients, as in `jawOpen 0.62, mouthSmile_L 0.31, mouthSmile_R 0.30`."""
    strongest = np.argsort(-face.expression)[:STRONGEST]
    return ", ".join(f"{expression_names[i]} {face.expression[i]:.2f}" for i in strongest)
