"""NumPy's archive: every array of the take, and what its columns and units are.

Read it with `numpy.load(path)`; nothing in it is pickled. Frames in which the face was not seen, nor bridged, are NaN.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service.cli.capture.take import Take
from service.cli.whole_file import whole_file
from service.vision.arkit import ARKIT_NAMES
from service.vision.gaze import GAZE_NAMES

# What each array of N frames or of the take holds, in the order in which they are written.
UNITS: Final = {
    "timestamps": "(N,) seconds from the film's first frame",
    "frame_rate": "(2,) numerator and denominator, frames per second",
    "first_frame": "() frames from midnight to the film's first one",
    "drop_frame": "() whether the film's time code leaves out numbers",
    "size": "(2,) width and height of the film, pixels",
    "person": "() number of the person, from 1",
    "seen": "(N,) whether the face was found",
    "bridged": "(N,) whether it was not, and its values are interpolated",
    "score": "(N,) 0 to 1",
    "box": "(N, 4) x1, y1, x2, y2, pixels, y down",
    "quaternion": "(N, 4) x, y, z, w, head to camera: x to the image's right, y up, z toward the viewer",
    "translation": "(N, 3) cm, camera frame",
    "scale": "(N,) pixels per cm",
    "expression": "(N, 46) weights 0 to 1, columns by expression_names",
    "blendshapes": "(N, 52) weights 0 to 1, columns by blendshape_names, ARKit's",
    "gaze": "(N, 8) weights 0 to 1, columns by gaze_names, ARKit's; NaN where the face was not refined",
    "identity": "(50,) standard deviations",
    "neutral": "(46,) the expression that is subtracted; NaN where none is",
    "expression_names": "(46,)",
    "blendshape_names": "(52,)",
    "gaze_names": "(8,)",
}


def write(take: Take, path: Path) -> None:
    """Writes the arrays. Raises WriteError."""
    with whole_file(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays(take))


def arrays(take: Take) -> dict[str, NDArray[Any]]:
    """The arrays by their names in UNITS, and `units`: (K, 2) the names with what they hold."""
    film = take.film
    code = film.timecode
    neutral = np.full(take.expression.shape[1], np.nan, np.float32) if take.neutral is None else take.neutral
    held = {
        "timestamps": film.timestamps,
        "frame_rate": np.array([code.rate.numerator, code.rate.denominator]),
        "first_frame": np.array(code.first),
        "drop_frame": np.array(code.drop_frame),
        "size": np.array([film.width, film.height]),
        "person": np.array(take.person),
        "neutral": neutral,
        "expression_names": np.array(take.expression_names),
        "blendshape_names": np.array(ARKIT_NAMES),
        "gaze_names": np.array(GAZE_NAMES),
    }
    found = {name: held[name] if name in held else getattr(take, name) for name in UNITS}
    return {**found, "units": np.array(list(UNITS.items()))}
