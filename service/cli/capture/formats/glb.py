"""Binary glTF 2.0: a character, animated; one of Studio's, or the user's own.

Frame: glTF's, right-handed, y up, metres; the character looks along +z and its left is +x. To a camera before it this
is the API's camera frame (x to the image's right, y up, z toward the viewer), so that rotations are taken as they are:
a head that nods turns about +x, one that turns to the image's right (its own left) about +y, one that tilts
counter-clockwise as seen about +z. Left and right of the morph targets are the character's, as they are the person's.

The animation has a key a frame, at the frame's time: weights of the meshes with ARKit's morph targets, rotations of the
neck and the head, which share the head's, and of the eyes. It is the file's only one. Its extras tell the person, the
time code of the first frame and the frame rate. A frame without the face has the values of the frame before.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from service.cli.capture.blocks import blocks
from service.cli.capture.formats.character import (
    BINARY_KIND,
    CHUNK,
    HEADER,
    JSON_KIND,
    MAGIC,
    VERSION,
    Character,
    CharacterError,
    Targets,
    character_file,
)
from service.cli.capture.formats.joints import rotations
from service.cli.capture.take import Film, Take
from service.cli.capture.timecode import timecode_text
from service.cli.whole_file import WriteError, whole_file
from service.vision.arrays import Array
from service.vision.rotation import multiply

DEFAULT_CHARACTER: Final = "human"
FLOAT: Final = 5126  # componentType
TYPES: Final = {1: "SCALAR", 4: "VEC4"}


def write(take: Take, path: Path, character: Character | None = None) -> None:
    """Writes a character and its animation, Studio's human by default. Raises WriteError."""
    if character is None:
        try:
            character = Character.read(character_file(DEFAULT_CHARACTER))
        except CharacterError as error:
            raise WriteError(f"{path} cannot be written: {error}") from error
    document = Document(json.loads(character.text), bytearray(character.binary))
    animate(document, take, character)
    document.write(path)


@dataclass
class Document:
    """A .glb file. json: the glTF. binary: its buffer, whose length is a multiple of four."""

    json: dict[str, Any]
    binary: bytearray

    def add_floats(self, values: Iterable[Array], **bounds: Any) -> int:
        """Index of a new accessor of values (N, 1 or 4), float32, block after block. bounds: of it, min and max."""
        views, accessors = self.json["bufferViews"], self.json["accessors"]
        start, count, width = len(self.binary), 0, 0
        for block in values:
            self.binary += block.astype("<f4").tobytes()
            count, width = count + len(block), block.shape[1]
        views.append({"buffer": 0, "byteOffset": start, "byteLength": len(self.binary) - start})
        accessors.append(
            {"bufferView": len(views) - 1, "componentType": FLOAT, "count": count, "type": TYPES[width], **bounds}
        )
        return len(accessors) - 1

    def write(self, path: Path) -> None:
        """Writes the file. Raises WriteError."""
        self.json["buffers"][0]["byteLength"] = len(self.binary)
        text = json.dumps(self.json, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        with whole_file(path) as file:
            file.write(HEADER.pack(MAGIC, VERSION, HEADER.size + 2 * CHUNK.size + len(text) + len(self.binary)))
            for kind, content in ((JSON_KIND, text), (BINARY_KIND, self.binary)):
                file.write(CHUNK.pack(len(content), kind))
                file.write(content)


def animate(document: Document, take: Take, character: Character) -> None:
    """Adds the take's animation to a character's document, in place of those that it has."""
    seconds = take.film.timestamps.astype(np.float32)
    times = document.add_floats([seconds[:, None]], min=[float(seconds[0])], max=[float(seconds[-1])])
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    faces, joints = character.faces, character.joints
    outputs = {targets: document.add_floats(weights(targets, take)) for targets in dict.fromkeys(faces.values())}
    moved = [(node, "weights", outputs[targets]) for node, targets in faces.items()]
    turned = [
        (joint.node, "rotation", document.add_floats(turns(character, name, take))) for name, joint in joints.items()
    ]
    for node, path, output in [*moved, *turned]:
        samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})
        channels.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": path}})
    animation = {"name": _name(take.film), "samplers": samplers, "channels": channels, "extras": _extras(take)}
    document.json["animations"] = [animation]


def weights(targets: Targets, take: Take) -> Iterator[Array]:
    """(N * T, 1) weights of a mesh's T morph targets, frame after frame, in blocks."""
    rest = np.array(targets.rest, np.float32)
    for frames in blocks(len(take.film)):
        shown = take.held(take.blendshapes, frames)
        values = np.tile(rest, (len(shown), 1))
        values[:, targets.places] = shown[:, targets.shapes]
        yield values.reshape(-1, 1)


def turns(character: Character, joint: str, take: Take) -> Iterator[Array]:
    """(N, 4) rotations of one of a character's joints, in blocks. Without a neck the head turns by the whole."""
    for frames in blocks(len(take.film)):
        of_scene = rotations(take, frames)
        if "neck" not in character.joints:
            of_scene["head"] = multiply(of_scene["neck"], of_scene["head"])
        yield character.joints[joint].turned(of_scene[joint])


def _extras(take: Take) -> dict[str, Any]:
    timecode = take.film.timecode
    return {
        "person": take.person,
        "timecode": timecode_text(timecode, 0),
        "frameRate": [timecode.rate.numerator, timecode.rate.denominator],
        "dropFrame": timecode.drop_frame,
    }


def _name(film: Film) -> str:
    return film.name.encode(errors="replace").decode()  # the bytes of a file's name may be no text
