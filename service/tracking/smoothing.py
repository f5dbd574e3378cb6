"""Smoothing: the One-Euro filter on every quantity of a face.

It is a low-pass filter whose cutoff rises with speed: steady while a face is still, with little lag while it moves
(Casiez, Roussel and Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems",
CHI 2012). One pair of min_cutoff and beta fits all quantities, since each speed is normalized to units a second that a
moving face reaches: face sizes for box and origin, 1 for logarithm of scale, expressions and gaze, radians for the
rotation. A person's identity does not change; its unit is 10 standard deviations, so that its noise, which looks like
speed, does not raise the cutoff. A missing gaze stays missing: its filters start anew with the next gaze.

With the defaults and models 0.1.0 at 30 fps, camera noise moves a still face from frame to frame by 0.15 (boxes) to
0.20 (the noisiest coefficient) of what it does without smoothing. The lag of a quantity is 21 ms at one unit a second
and 6 ms at five, and a blink of 0.15 s still closes the eye.
"""

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

# Columns of the filtered quantities: box and head's origin in pixels, log scale, coefficients and gaze. The rotation is
# filtered separately.
BOX: Final = slice(0, 4)
ORIGIN: Final = slice(4, 6)
SCALE: Final = 6
IDENTITY: Final = slice(7, 7 + IDENTITY_MODES)
EXPRESSION: Final = slice(7 + IDENTITY_MODES, 7 + IDENTITY_MODES + EXPRESSIONS)
GAZE: Final = slice(EXPRESSION.stop, EXPRESSION.stop + GAZE_COEFFICIENTS)
WEIGHTS: Final = slice(EXPRESSION.start, GAZE.stop)  # from 0 to 1
ROTATION: Final = slice(GAZE.stop, GAZE.stop + 3)  # a rotation vector; columns of steps and speeds only

# The state of a track's filters: its smoothed columns and quaternion, the filtered speed of both per second, and the
# frame's timestamp in seconds, in one row. Values and speeds are NaN in the columns of a missing gaze.
VALUE: Final = slice(0, GAZE.stop)
QUATERNION: Final = slice(VALUE.stop, VALUE.stop + 4)
SPEED: Final = slice(QUATERNION.stop, QUATERNION.stop + ROTATION.stop)
TIMESTAMP: Final = SPEED.stop


class Smoother:
    """The filters of one stream, one for each track and quantity."""

    def __init__(self, options: SmoothingOptions) -> None:
        self._options = options
        self._states: dict[int, Array] = {}

    def smooth(self, faces: Faces, track_id: Ids, timestamp: float) -> Faces:
        """Smooths faces with the earlier ones of their tracks (N,); a track's first face is returned unchanged.

        timestamp: of the frame, seconds.
        """
        if not len(faces):
            return faces
        tracks = track_id.tolist()
        state = np.empty((len(faces), TIMESTAMP + 1))  # as if all faces were the first of their tracks
        measured, quaternion = state[:, VALUE], state[:, QUATERNION]
        _columns_into(measured, faces)
        quaternion[:] = faces.quaternion
        state[:, SPEED], state[:, TIMESTAMP] = 0, -np.inf
        last = np.array([self._states.get(track, first) for track, first in zip(tracks, state, strict=True)])
        # A gaze may have been missing.
        last_value, last_speed = last[:, VALUE], last[:, SPEED]
        np.copyto(last_value, measured, where=np.isnan(last_value))
        np.copyto(last_speed, 0, where=np.isnan(last_speed))
        last_quaternion, elapsed = last[:, QUATERNION], timestamp - last[:, TIMESTAMP:]
        rotation = quaternion_to_rotation_vector(multiply(quaternion, inverse(last_quaternion)))
        step = np.concatenate([measured - last_value, rotation], axis=-1)
        speed = last_speed + _smoothing_factor(self._options.derivative_cutoff, elapsed) * (step / elapsed - last_speed)
        normalized = _normalized_speed(speed, faces.scale[:, None] * FACE_HEIGHT_CM)
        step *= _smoothing_factor(self._options.min_cutoff + self._options.beta * normalized, elapsed)
        state[:, VALUE] = last_value + step[:, : GAZE.stop]
        state[:, QUATERNION] = multiply(rotation_vector_to_quaternion(step[:, ROTATION]), last_quaternion)  # a slerp
        state[:, SPEED], state[:, TIMESTAMP] = speed, timestamp
        self._states.update(zip(tracks, state, strict=True))
        return _replaced(faces, state[:, VALUE], state[:, QUATERNION])

    def keep(self, alive: Ids) -> None:
        """Keeps the states of these tracks (T,) and forgets all others."""
        self._states = {track: self._states[track] for track in alive.tolist() if track in self._states}


def _columns_into(target: Array, faces: Faces) -> None:
    """Writes the filtered columns of faces to a target (N, 111) of float64.

    The head's origin in pixels is filtered in place of its translation: with the latter, a face far from the picture's
    centre would jump visibly with the jitter of its scale.
    """
    scale = faces.scale[:, None].astype(np.float64)
    origin = scale * faces.translation[:, :2]
    columns = (faces.box, origin, np.log(scale), faces.identity, faces.expression, faces.gaze)
    np.concatenate(columns, axis=-1, out=target)


def _replaced(faces: Faces, value: Array, quaternion: Array) -> Faces:
    scale = np.exp(value[:, SCALE, None])
    origin = value[:, ORIGIN]
    depth = faces.translation[:, 2:] * (faces.scale[:, None] / scale)  # -F / scale
    value = value.astype(np.float32)
    weights = value[:, WEIGHTS]
    np.minimum(np.maximum(weights, 0, out=weights), 1, out=weights)
    return Faces(
        score=faces.score,
        box=value[:, BOX],
        quaternion=(quaternion * np.copysign(1, quaternion[:, 3:])).astype(np.float32),
        translation=np.concatenate([origin / scale, depth], axis=-1).astype(np.float32),
        scale=scale[:, 0].astype(np.float32),
        identity=value[:, IDENTITY],
        expression=value[:, EXPRESSION],
        gaze=value[:, GAZE],
    )


def _normalized_speed(speed: Array, size: Array) -> Array:
    """Absolute speeds (N, 114) in the units a second that the module's docstring tells.

    The components of a box, an origin and a rotation share their common speed, so that all of them have the same
    cutoff: a box keeps its shape and a path stays straight. speed: (N, 114). size: (N, 1) of the faces, pixels.
    """
    normalized = np.abs(speed)
    # Of the two corners of a box: their root mean square.
    box, origin, rotation = (np.vecdot(part, part) for part in (speed[:, BOX], speed[:, ORIGIN], speed[:, ROTATION]))
    normalized[:, BOX] = np.sqrt(box / 2)[:, None] / size
    normalized[:, ORIGIN] = np.sqrt(origin)[:, None] / size
    normalized[:, IDENTITY] /= IDENTITY_UNIT
    normalized[:, ROTATION] = np.sqrt(rotation)[:, None]
    return normalized


def _smoothing_factor(cutoff: float | Array, elapsed: Array) -> Array:
    """The smoothing factor 1 / (1 + tau / T_e) of a low-pass filter. cutoff: Hz. elapsed: T_e, seconds."""
    factor: Array = 1 / (1 + 1 / (2 * np.pi * cutoff * elapsed))
    return factor
