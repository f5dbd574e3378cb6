"""Less jitter: the One-Euro filter on every quantity of a face.

A low-pass filter whose cutoff rises with speed: steady while a face is still, without lag while it moves (Casiez,
Roussel and Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems", CHI 2012).
One pair of min_cutoff and beta fits all quantities, since each speed is told in units a second that a face which moves
in earnest reaches: face sizes for box and place, 1 for logarithm of scale, expressions and gaze, radians for the
rotation. Identity stays with a person; 10 standard deviations are its unit, so that what seems to be its speed, being
noise, opens nothing. A gaze that was not seen is not made up: its filters begin anew with the next one that is.

Defaults, with models 0.1.0 at 30 fps: a still face under a camera's noise moves from frame to frame by 0.15 of what it
did for boxes to 0.20 for the liveliest coefficient; at one unit a second a quantity comes 21 ms late, at five 6 ms, and
a blink of 0.15 s still closes the eye.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from service.tracking.options import SmoothingOptions
from service.tracking.tracker import Ids
from service.vision.arrays import Array
from service.vision.decoding import FACE_HEIGHT_CM
from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES
from service.vision.faces import Faces
from service.vision.gaze import GAZE_COEFFICIENTS
from service.vision.rotation import inverse, multiply, quaternion_to_rotation_vector, rotation_vector_to_quaternion

IDENTITY_UNIT: Final = 10.0  # standard deviations

# Columns of what is filtered: box and head's origin in pixels, log scale, coefficients and gaze; rotation is apart.
BOX: Final = slice(0, 4)
ORIGIN: Final = slice(4, 6)
SCALE: Final = 6
IDENTITY: Final = slice(7, 7 + IDENTITY_MODES)
EXPRESSION: Final = slice(7 + IDENTITY_MODES, 7 + IDENTITY_MODES + EXPRESSIONS)
GAZE: Final = slice(EXPRESSION.stop, EXPRESSION.stop + GAZE_COEFFICIENTS)
ROTATION: Final = slice(GAZE.stop, GAZE.stop + 3)  # of steps and speeds only: a rotation vector


@dataclass(frozen=True)
class _State:
    """Of one track. value: (111,) smoothed columns. quaternion: (4,) smoothed. speed: (114,) of both, filtered, a
    second. timestamp: of the frame. NaN in both where the gaze was not seen."""

    value: Array
    quaternion: Array
    speed: Array
    timestamp: float


class Smoother:
    """The filters of one stream, one a track and quantity."""

    def __init__(self, options: SmoothingOptions) -> None:
        self._options = options
        self._states: dict[int, _State] = {}

    def smooth(self, faces: Faces, track_id: Ids, timestamp: float) -> Faces:
        """The faces, each smoothed with what its track (N,) was before; a track's first face comes back unchanged."""
        if not len(faces):
            return faces
        seen = _columns(faces)
        quaternion: Array = faces.quaternion.astype(np.float64)
        first = zip(seen, quaternion, strict=True)
        known = [
            self._states.get(int(track)) or _State(*face, np.zeros(ROTATION.stop), -np.inf)
            for track, face in zip(track_id, first, strict=True)
        ]
        before, turned = np.stack([state.value for state in known]), np.stack([state.quaternion for state in known])
        before = np.where(np.isnan(before), seen, before)
        elapsed = timestamp - np.array([[state.timestamp] for state in known])
        step = np.concatenate(
            [seen - before, quaternion_to_rotation_vector(multiply(quaternion, inverse(turned)))], axis=-1
        )
        last_speed = np.stack([state.speed for state in known])
        last_speed[np.isnan(last_speed)] = 0
        speed = last_speed + _gain(self._options.derivative_cutoff, elapsed) * (step / elapsed - last_speed)
        cutoff = self._options.min_cutoff + self._options.beta * _pace(speed, faces.scale[:, None] * FACE_HEIGHT_CM)
        step *= _gain(cutoff, elapsed)
        value = before + step[:, : GAZE.stop]
        quaternion = multiply(rotation_vector_to_quaternion(step[:, ROTATION]), turned)  # along the great circle: slerp
        for row, track in enumerate(track_id):
            self._states[int(track)] = _State(value[row], quaternion[row], speed[row], timestamp)
        return _replaced(faces, value, quaternion)

    def keep(self, alive: Ids) -> None:
        """Forgets all tracks but these."""
        self._states = {track: self._states[track] for track in alive.tolist() if track in self._states}


def _columns(faces: Faces) -> Array:
    """(N, 111) float64. The head's origin stands for its translation: that one's pixels jump with the scale's jitter
    where a face is far from the picture's centre, and pixels are what is seen."""
    scale = faces.scale[:, None].astype(np.float64)
    origin = scale * faces.translation[:, :2]
    return np.concatenate([faces.box, origin, np.log(scale), faces.identity, faces.expression, faces.gaze], axis=-1)


def _replaced(faces: Faces, value: Array, quaternion: Array) -> Faces:
    scale = np.exp(value[:, SCALE, None])
    depth = faces.translation[:, 2:] * (faces.scale[:, None] / scale)  # -F / scale
    return replace(
        faces,
        box=value[:, BOX].astype(np.float32),
        quaternion=np.where(quaternion[:, 3:] < 0, -quaternion, quaternion).astype(np.float32),
        translation=np.concatenate([value[:, ORIGIN] / scale, depth], axis=-1).astype(np.float32),
        scale=scale[:, 0].astype(np.float32),
        identity=value[:, IDENTITY].astype(np.float32),
        expression=np.clip(value[:, EXPRESSION], 0, 1).astype(np.float32),
        gaze=np.clip(value[:, GAZE], 0, 1).astype(np.float32),
    )


def _pace(speed: Array, size: Array) -> Array:
    """(N, 114) units a second. A box, a place and a rotation move as one: their components share the pace of all, so
    that a box stays one and a path stays straight. speed: (N, 114). size: (N, 1) pixels of a face."""
    pace = np.abs(speed)
    pace[:, BOX] = np.linalg.norm(speed[:, BOX] / size, axis=-1, keepdims=True) / np.sqrt(2)  # two corners: their mean
    pace[:, ORIGIN] = np.linalg.norm(speed[:, ORIGIN] / size, axis=-1, keepdims=True)
    pace[:, IDENTITY] /= IDENTITY_UNIT
    pace[:, ROTATION] = np.linalg.norm(speed[:, ROTATION], axis=-1, keepdims=True)
    return pace


def _gain(cutoff: float | Array, elapsed: Array) -> Array:
    """Share of a step that a low-pass filter of that cutoff, Hz, takes after a time, seconds: 1 / (1 + tau / T_e)."""
    tau = 1 / (2 * np.pi * np.asarray(cutoff))
    gain: Array = 1 / (1 + tau / elapsed)
    return gain
