"""USD as text: UsdSkel's animation of a skeleton and of blendshapes, to be bound to a character of yours.

Frame: right-handed, y up, centimetres; the figure looks along +z and its left is +x. To a camera before it this is the
API's camera frame (x to the image's right, y up, z toward the viewer), so that rotations are taken as they are: a head
that nods turns about +x, one that turns to the image's right (its own left) about +y, one that tilts counter-clockwise
as seen about +z. USD writes quaternions as w, x, y, z.

A take is `/Take/Motion`, a SkelAnimation: rotations of the joints JOINTS, and weights of the 52 blendshapes by ARKit's
names. `/Take/Skeleton` is a skeleton that it moves; there is no mesh. Time codes are frames of the film from 0, parts
of frames where its rate varies. A frame without the face has the values of the frame before.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from service.cli.capture.blocks import blocks
from service.cli.capture.formats.joints import rotations
from service.cli.capture.formats.timing import positions
from service.cli.capture.take import Take
from service.cli.capture.timecode import timecode_text
from service.cli.whole_file import whole_file
from service.vision.arkit import ARKIT_NAMES
from service.vision.arrays import Array

# By the names of joints.rotations: the path of names from the first joint on, and cm from the one before. Places are
# those of the character `human`.
JOINTS: Final = {
    "neck": ("Neck", (0.0, 0.0, 0.0)),
    "head": ("Neck/Head", (0.0, 10.0, 1.8)),
    "eye_left": ("Neck/Head/LeftEye", (3.101, 5.6024, 9.0623)),
    "eye_right": ("Neck/Head/RightEye", (-3.101, 5.6024, 9.0623)),
}


def write(take: Take, path: Path) -> None:
    """Writes the skeleton and its animation. Raises WriteError."""
    with whole_file(path) as file:
        for line in lines(take):
            file.write((line + "\n").encode())


def lines(take: Take) -> Iterator[str]:
    """The lines of the file."""
    film = take.film
    times = positions(film)
    rate = f"{float(film.timecode.rate):.10g}"
    joints = f"uniform token[] joints = {tokens(path for path, _ in JOINTS.values())}"
    places = [place for _, place in JOINTS.values()]
    # In the skeleton's frame a joint's place is the sum of those on its path.
    summed = [
        np.sum([place for above, place in JOINTS.values() if path.startswith(above)], axis=0)
        for path, _ in JOINTS.values()
    ]
    yield from (
        "#usda 1.0",
        "(",
        "    customLayerData = {",
        f"        int person = {take.person}",
        f'        string timecode = "{timecode_text(film.timecode, 0)}"',
        f"        bool dropFrame = {int(film.timecode.drop_frame)}",
        "    }",
        '    defaultPrim = "Take"',
        f"    startTimeCode = {times[0]:.10g}",
        f"    endTimeCode = {times[-1]:.10g}",
        f"    framesPerSecond = {rate}",
        f"    timeCodesPerSecond = {rate}",
        "    metersPerUnit = 0.01",
        '    upAxis = "Y"',
        ")",
        "",
        'def SkelRoot "Take"',
        "{",
        '    def Skeleton "Skeleton" (prepend apiSchemas = ["SkelBindingAPI"])',
        "    {",
        f"        {joints}",
        f"        uniform matrix4d[] bindTransforms = {matrices(summed)}",
        f"        uniform matrix4d[] restTransforms = {matrices(places)}",
        "        rel skel:animationSource = </Take/Motion>",
        "    }",
        "",
        '    def SkelAnimation "Motion"',
        "    {",
        f"        {joints}",
        f"        float3[] translations = [{', '.join(map(vector, places))}]",
        f"        half3[] scales = [{', '.join(['(1, 1, 1)'] * len(JOINTS))}]",
        "        quatf[] rotations.timeSamples = {",
    )
    for frames in blocks(len(film)):
        turned = rotations(take, frames)
        w_first = np.stack([turned[joint] for joint in JOINTS], axis=1)[..., [3, 0, 1, 2]]
        for time, quaternions in zip(times[frames], w_first, strict=True):
            yield f"            {time:.10g}: [{', '.join(map(vector, quaternions))}],"
    yield "        }"
    yield f"        uniform token[] blendShapes = {tokens(ARKIT_NAMES)}"
    yield "        float[] blendShapeWeights.timeSamples = {"
    for frames in blocks(len(film)):
        for time, weights in zip(times[frames], take.held(take.blendshapes, frames), strict=True):
            yield f"            {time:.10g}: [{numbers(weights)}],"
    yield from ("        }", "    }", "}")


def tokens(names: Iterable[str]) -> str:
    """Names as an array."""
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def numbers(values: Sequence[float] | Array) -> str:
    """Numbers with commas."""
    return ", ".join(f"{value:.7g}" for value in values)


def vector(values: Sequence[float] | Array) -> str:
    """Numbers as a tuple."""
    return f"({numbers(values)})"


def matrices(places: Iterable[Sequence[float] | Array]) -> str:
    """Translations as an array of matrices, which USD multiplies rows by."""
    rows = "(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)"
    return "[" + ", ".join(f"({rows}, ({numbers(place)}, 1))" for place in places) + "]"
