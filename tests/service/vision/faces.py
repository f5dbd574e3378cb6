"""Faces made up for the tests of crops and of what is read in them."""

import numpy as np

from service.vision.faces import Faces
from service.vision.gaze import no_gaze
from service.vision.rotation import euler_to_quaternion


def one_face(yaw: float, pitch: float, roll: float) -> Faces:
    """One neutral face, turned by angles in degrees; 6 pixels a cm."""
    return Faces(
        score=np.array([0.8], np.float32),
        box=np.array([[10, 20, 30, 40]], np.float32),
        quaternion=euler_to_quaternion([yaw], [pitch], [roll]).astype(np.float32),
        translation=np.array([[3, -2, -90]], np.float32),
        scale=np.array([6], np.float32),
        identity=np.zeros((1, 50), np.float32),
        expression=np.zeros((1, 46), np.float32),
        gaze=no_gaze(1),
    )
