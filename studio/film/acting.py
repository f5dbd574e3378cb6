"""What each face of the film does in each frame, as the API tells it."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from service.vision.arkit import arkit_matrix, blendshapes
from service.vision.gaze import GAZE_NAMES
from service.vision.rotation import euler_to_quaternion
from studio.film.motion import expressions, through
from studio.film.performance import Performance
from training.render.eyes import gaze_of_angles


@dataclass(frozen=True)
class Acting:
    """Holds what one face does. expression: (F, 46). gaze: (F, 8). angles: (F, 3) yaw, pitch and roll in degrees.
    quaternion: (F, 4). blendshapes: (F, 52) ARKit's."""

    expression: np.ndarray
    gaze: np.ndarray
    angles: np.ndarray
    quaternion: np.ndarray
    blendshapes: np.ndarray

    @classmethod
    def of(cls, performance: Performance, names: tuple[str, ...], seconds: np.ndarray) -> Self:
        """What is performed at each of `seconds` (F,). names: the face model's 46. The lids sink with the gaze."""
        eyes = np.stack([through(performance.gaze_yaw, seconds), through(performance.gaze_pitch, seconds)], axis=1)
        gaze = np.stack([gaze_of_angles(np.array([both, both])) for both in eyes])
        expression = expressions(performance.rest, performance.gestures, names, seconds).astype(np.float32)
        expression[:, names.index("eyeLookDown")] = gaze[:, GAZE_NAMES.index("eyeLookDownLeft")]
        turns = (performance.yaw, performance.pitch, performance.roll)
        angles = np.stack([through(keys, seconds) for keys in turns], axis=1)
        return cls(
            expression=expression,
            gaze=gaze,
            angles=angles,
            quaternion=euler_to_quaternion(*angles.T),
            blendshapes=blendshapes(expression, gaze, arkit_matrix(names)),
        )
