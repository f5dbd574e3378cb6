"""BVH (Biovision Hierarchy): a skeleton whose neck and head turn.

Frame: right-handed, y up; the figure looks along +z and its left is +x. To a camera before it this is the API's camera
frame (x to the image's right, y up, z toward the viewer), so that rotations are taken as they are.
Lengths are centimetres, angles degrees. Every joint's channels are Zrotation Yrotation Xrotation, whose rotations BVH
multiplies in this order: R = Rz(roll) Ry(yaw) Rx(pitch), which is how the API's yaw, pitch and roll compose.

A head that nods has positive Xrotation, one that turns to the image's right (its own left) positive Yrotation, one that
tilts counter-clockwise as seen positive Zrotation. Neck and head share the rotation and add up to the head's.

Importers expect a root at the hips that can move; here it stands still. BVH has one frame rate for all frames. A frame
without the face has the values of the frame before.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from service.cli.capture.blocks import blocks
from service.cli.capture.formats.joints import rotations
from service.cli.capture.formats.timing import is_even
from service.cli.capture.take import Film, Take
from service.cli.whole_file import WriteError, whole_file
from service.vision.rotation import quaternion_to_euler

TURNS: Final = "Zrotation Yrotation Xrotation"


@dataclass(frozen=True)
class Joint:
    """A joint. offset: cm from the one before. channels: of its line in the frames."""

    name: str
    offset: tuple[float, float, float]
    channels: str = f"3 {TURNS}"


# Each is the parent of the next. An adult of 1.75 m; from the neck on the places of the character `human`.
JOINTS: Final = (
    Joint("Hips", (0, 0, 0), f"6 Xposition Yposition Zposition {TURNS}"),
    Joint("Spine", (0, 12, 0)),
    Joint("Neck", (0, 40, -1.5)),
    Joint("Head", (0, 10, 1.8)),
)
CROWN: Final = (0, 18, 0)  # cm from the head
HIPS_HEIGHT: Final = 95  # cm
STILL: Final = f"0 {HIPS_HEIGHT} 0 0 0 0 0 0 0"  # the hips' place, then how hips and spine are turned
FRAME: Final = f"{STILL} {' '.join(['%.6f'] * 6)}\n"


def write(take: Take, path: Path) -> None:
    """Writes skeleton and frames. Raises WriteError, also for a film that is refused."""
    if reason := refusal(take.film):
        raise WriteError(f"{path} cannot be written: {reason}")
    with whole_file(path) as file:
        file.write(("\n".join(hierarchy()) + "\n").encode())
        seconds = float(1 / take.film.timecode.rate)
        file.write(f"MOTION\nFrames: {len(take.film)}\nFrame Time: {seconds:.10f}\n".encode())
        for frames in blocks(len(take.film)):
            turned = rotations(take, frames)
            for row in np.concatenate([degrees(turned[joint]) for joint in ("neck", "head")], axis=1):
                file.write((FRAME % tuple(row)).encode())


def refusal(film: Film) -> str | None:
    """Of a film whose frame rate varies, in words why BVH cannot hold it; None of any other."""
    if is_even(film):
        return None
    return f"BVH has one frame rate for all frames, and that of {film.name} varies. Give --rate to resample it."


def degrees(quaternion: np.ndarray) -> np.ndarray:
    """(N, 3) Zrotation, Yrotation, Xrotation of rotations (N, 4)."""
    yaw, pitch, roll = quaternion_to_euler(quaternion)
    return np.round(np.stack([roll, yaw, pitch], axis=1), 6) + 0.0  # -0 becomes 0


def hierarchy() -> list[str]:
    """The lines of the skeleton."""
    lines = ["HIERARCHY"]
    for depth, joint in enumerate(JOINTS):
        indent = "\t" * depth
        lines += [f"{indent}{'JOINT' if depth else 'ROOT'} {joint.name}", f"{indent}{{"]
        lines += [f"{indent}\tOFFSET {numbers(joint.offset)}", f"{indent}\tCHANNELS {joint.channels}"]
    indent = "\t" * len(JOINTS)
    lines += [f"{indent}End Site", f"{indent}{{", f"{indent}\tOFFSET {numbers(CROWN)}", f"{indent}}}"]
    return lines + ["\t" * depth + "}" for depth in reversed(range(len(JOINTS)))]


def numbers(values: tuple[float, float, float]) -> str:
    """Three numbers as text."""
    return "{:g} {:g} {:g}".format(*values)
