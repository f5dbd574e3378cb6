"""Eyeballs that turn with the gaze, about their own centres, and the gaze that belongs to a turn.

How far ARKit's eight eyeLook* turn an eye is the service's (service.vision.gaze), so that a rendered face, its labels
and a character driven by the answer agree. How the lids follow is training.render.head's.
"""

import numpy as np

from service.vision.gaze import DOWN_DEGREES, GAZE_COEFFICIENTS, IN_DEGREES, OUT_DEGREES, UP_DEGREES, eye_rotations
from service.vision.rotation import euler_to_quaternion, quaternion_to_matrix

OUTWARD = np.array([1.0, -1.0])  # sign of the yaw that takes the left and the right eye away from the nose


def sphere_centre(points: np.ndarray) -> np.ndarray:
    """(3,) centre of the sphere nearest to points (V, 3), by least squares."""
    left = np.column_stack([2 * points, np.ones(len(points))])
    solution, *_ = np.linalg.lstsq(left, (points**2).sum(1), rcond=None)
    centre: np.ndarray = solution[:3]
    return centre


def eyeball_centre(eyeball: np.ndarray) -> np.ndarray:
    """(3,) centre of the globe of an eyeball (V, 3) cm whose cornea, at its front, bulges: fitted to its back half."""
    depth = eyeball[:, 2]
    return sphere_centre(eyeball[depth < (depth.min() + depth.max()) / 2].astype(np.float64))


def eye_matrices(gaze: np.ndarray) -> np.ndarray:
    """(2, 3, 3) rotations of the left and the right eyeball in the head frame, of a gaze (8,)."""
    yaw, pitch = eye_rotations(np.asarray(gaze, np.float64)).T
    matrices: np.ndarray = quaternion_to_matrix(euler_to_quaternion(yaw, pitch, np.zeros(2)))
    return matrices


def turn_about(points: np.ndarray, centre: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (V, 3) rotated by a matrix (3, 3) about a centre (3,), in their own type."""
    turned: np.ndarray = ((points - centre) @ matrix.T + centre).astype(points.dtype)
    return turned


def gaze_of_angles(angles: np.ndarray) -> np.ndarray:
    """(8,) float32 in [0, 1], in the order of service.vision.gaze.GAZE_NAMES: the gaze that turns the eyes by angles
    (2, 2).

    angles: yaw and pitch in degrees of the left and the right eye, as service.vision.gaze.eye_rotations gives them;
    what is beyond a coefficient's 1 is cut off. Of Down and Up, and of In and Out, one is 0.
    """
    away, pitch = angles[:, 0] * OUTWARD, angles[:, 1]
    gaze = np.stack([pitch / DOWN_DEGREES, -away / IN_DEGREES, away / OUT_DEGREES, -pitch / UP_DEGREES])
    within: np.ndarray = gaze.reshape(GAZE_COEFFICIENTS).clip(0, 1).astype(np.float32)
    return within
