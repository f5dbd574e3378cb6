"""Each person's resting face, in what was captured of them."""

from typing import Final

import numpy as np

from service.cli.capture.curves import EXPRESSION, Curves
from service.vision.arrays import Array
from service.vision.rotation import quaternion_to_euler

# Of each coefficient's values, from the least: at rest it is low, but noise goes below it. What a face does for nine
# tenths of a film is how it rests.
RESTING_PERCENTILE: Final = 10.0
MAX_TURN_DEGREES: Final = 30.0  # of yaw and pitch; coefficients of heads that are turned away are less sure
MIN_FRAMES: Final = 30  # that face the camera; with fewer, all frames count


def resting_face(curves: Curves) -> Array:
    """The resting face (46,) float32 of someone whose curves are known in a frame at least."""
    yaw, pitch, _ = quaternion_to_euler(curves.quaternion)
    facing = curves.seen & (np.abs(yaw) <= MAX_TURN_DEGREES) & (np.abs(pitch) <= MAX_TURN_DEGREES)
    seen = curves.seen if curves.seen.any() else curves.known
    frames = facing if facing.sum() >= MIN_FRAMES else seen
    # One by one: sorting takes a copy.
    columns = range(EXPRESSION.start, EXPRESSION.stop)
    face = [np.percentile(curves.values[frames, column], RESTING_PERCENTILE) for column in columns]
    resting: Array = np.clip(np.array(face, np.float32), 0, 1)
    return resting


def absolute(_: Curves) -> None:
    """No resting face: expressions stay as they are."""
