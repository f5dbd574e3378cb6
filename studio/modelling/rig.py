"""The bones: where a head turns, and how the skin of the neck follows. Positions in cm of the head frame."""

import numpy as np

from training.render.anatomy import smoothstep

ORIGIN = np.array([0.0, -14.5, -1.5])  # the base of the neck, the origin of a character's file
NECK = np.array([0.0, -12.0, -3.0])  # about the seventh vertebra
HEAD = np.array([0.0, -2.0, -1.2])  # between the ears, where the skull sits on the spine
JOINTS = ("root", "neck", "head")
TILT = 0.25  # by which a plane across the neck falls to the front, cm a cm
COLLAR, JAW = (-15.0, -10.5), (-12.5, -6.8)  # heights at the axis between which root gives way to neck, neck to head


def skin_weights(points: np.ndarray) -> np.ndarray:
    """(V, 3) shares of root, neck and head in the motion of points (V, 3) cm; rows add up to 1."""
    height = points[:, 1] + TILT * points[:, 2]
    head = smoothstep(height, *JAW)
    root = (1 - smoothstep(height, *COLLAR)) * (1 - head)
    return np.stack([root, 1 - head - root, head], axis=1)
