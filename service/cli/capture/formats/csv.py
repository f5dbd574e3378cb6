"""Live Link Face's CSV, as Epic's phone app records takes: a row a frame, ARKit's 52 weights and nine angles.

Columns and formats are the app's: `Timecode` HH:MM:SS:FF.fff, `BlendshapeCount` 61, values with ten decimals, angles in
radians. Names are the subject's: EyeBlinkLeft is the person's left eye. Signs are the sender's, see
service.cli.avatar.livelink: HeadYaw > 0 to the image's right (the person's left), HeadPitch > 0 up, HeadRoll > 0
counter-clockwise as seen; of the eyes, yaw > 0 to the person's right and pitch > 0 down.

A head that nods by 20 degrees has HeadPitch -0.349, one that turns to the image's right by 30 HeadYaw 0.524, one that
tilts counter-clockwise by 10 HeadRoll 0.175.

The file does not tell the frame rate. A frame without the face has the values of the frame before.
"""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.cli.avatar.livelink import FROM_ARKIT, HEAD_AND_EYES, SHAPES, eye_angles, head_angles
from service.cli.capture.blocks import blocks
from service.cli.capture.formats.timing import positions
from service.cli.capture.take import Take
from service.cli.capture.timecode import timecode_text
from service.cli.whole_file import whole_file

# Files have Right before Left where packets have Left before Right.
SWAPPED: Final = {"JawLeft": "JawRight", "JawRight": "JawLeft", "MouthLeft": "MouthRight", "MouthRight": "MouthLeft"}
SHAPES_OF_FILES: Final = tuple(SWAPPED.get(name, name) for name in SHAPES)
VALUES: Final = (*SHAPES_OF_FILES, *HEAD_AND_EYES)
COLUMNS: Final = ("Timecode", "BlendshapeCount", *VALUES)
COLUMNS_OF_ARKIT: Final = FROM_ARKIT[[SHAPES.index(name) for name in SHAPES_OF_FILES]]
DECIMALS: Final = 10
ROW: Final = ",".join(["%s", str(len(VALUES)), *[f"%.{DECIMALS}f"] * len(VALUES)]) + "\n"


def write(take: Take, path: Path) -> None:
    """Writes a row a frame. Raises WriteError."""
    timecode, places = take.film.timecode, positions(take.film)
    with whole_file(path) as file:
        file.write((",".join(COLUMNS) + "\n").encode())
        for frames in blocks(len(take.film)):
            for position, row in zip(places[frames], values(take, frames), strict=True):
                file.write((ROW % (timecode_text(timecode, position), *row)).encode())


def values(take: Take, frames: slice) -> NDArray[np.float64]:
    """(n, 61) what the columns VALUES hold in some frames."""
    weights = take.held(take.blendshapes, frames)[:, COLUMNS_OF_ARKIT]
    angles = [head_angles(take.held(take.quaternion, frames)), eye_angles(take.held(take.gaze, frames))]
    rows = np.concatenate([weights, *angles], axis=1).astype(np.float64)
    positive: NDArray[np.float64] = np.round(rows, DECIMALS) + 0.0  # -0 becomes 0
    return positive
