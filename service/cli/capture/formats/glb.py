"""Binary glTF 2.0: one of Studio's characters, animated.

Frame: glTF's, right-handed, y up, metres; the character looks along +z and its left is +x. To a camera before it this
is the API's camera frame (x to the image's right, y up, z toward the viewer), so that rotations are taken as they are:
a head that nods turns about +x, one that turns to the image's right (its own left) about +y, one that tilts
counter-clockwise as seen about +z. Left and right of the morph targets are the character's, as they are the person's.

The animation has a key a frame, at the frame's time: weights of the 52 morph targets of `face`, rotations of `neck` and
`head`, which share the head's, and of `eye_left` and `eye_right`. Nothing of a character is turned at rest. Its extras
tell the person, the time code of the first frame and the frame rate. A frame without the face has the values of the
frame before.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from service.cli.capture.blocks import blocks
from service.cli.capture.formats.joints import JOINTS, rotations
from service.cli.capture.formats.timecode import timecode_text
from service.cli.capture.formats.whole_file import WriteError, whole_file
from service.cli.capture.take import Film, Take
from service.published import published
from service.vision.arkit import ARKIT_NAMES
from service.vision.arrays import Array

CHARACTER: Final = "human"
FLOAT: Final = 5126  # componentType
TYPES: Final = {1: "SCALAR", 4: "VEC4"}
HEADER: Final = struct.Struct("<4sII")  # magic, version, bytes in all
CHUNK: Final = struct.Struct("<I4s")  # bytes, kind
JSON_KIND: Final = b"JSON"
BINARY_KIND: Final = b"BIN\0"


def characters() -> tuple[str, ...]:
    """Names of the characters that there are."""
    return tuple(sorted(path.stem for path in _folder().glob("*.glb")))


def write(take: Take, path: Path, character: str = CHARACTER) -> None:
    """Writes the character and its animation. Raises WriteError, also where there is no such character."""
    try:
        document = Document.read(_folder() / f"{character}.glb")
    except OSError as error:
        there = ", ".join(characters()) or "none are installed"
        raise WriteError(
            f"{path} cannot be written: there is no character {character!r}. There are: {there}."
        ) from error
    animate(document, take)
    document.write(path)


@dataclass
class Document:
    """A .glb file. json: the glTF. binary: its buffer, whose length is a multiple of four."""

    json: dict[str, Any]
    binary: bytearray

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads a file of two chunks, as Studio's characters are. Raises OSError."""
        data = path.read_bytes()
        size, _ = CHUNK.unpack_from(data, HEADER.size)
        text = HEADER.size + CHUNK.size
        return cls(json.loads(data[text : text + size]), bytearray(data[text + size + CHUNK.size :]))

    def node(self, name: str) -> int:
        """Index of the node of a name."""
        return [node.get("name") for node in self.json["nodes"]].index(name)

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
            file.write(HEADER.pack(b"glTF", 2, HEADER.size + 2 * CHUNK.size + len(text) + len(self.binary)))
            for kind, content in ((JSON_KIND, text), (BINARY_KIND, self.binary)):
                file.write(CHUNK.pack(len(content), kind))
                file.write(content)


def animate(document: Document, take: Take) -> None:
    """Adds the take's animation to a character."""
    seconds = take.film.timestamps.astype(np.float32)
    times = document.add_floats([seconds[:, None]], min=[float(seconds[0])], max=[float(seconds[-1])])
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    turned = [(node, "rotation", _rotations(take, node)) for node in JOINTS]
    for node, path, values in [("face", "weights", weights(document, take)), *turned]:
        samplers.append({"input": times, "output": document.add_floats(values), "interpolation": "LINEAR"})
        channels.append({"sampler": len(samplers) - 1, "target": {"node": document.node(node), "path": path}})
    animation = {"name": _name(take.film), "samplers": samplers, "channels": channels, "extras": _extras(take)}
    document.json["animations"] = [animation]


def weights(document: Document, take: Take) -> Iterator[Array]:
    """(N * 52, 1) weights of the face's morph targets, frame after frame, in blocks."""
    mesh = document.json["meshes"][document.json["nodes"][document.node("face")]["mesh"]]
    columns = [ARKIT_NAMES.index(name) for name in mesh["extras"]["targetNames"]]
    for frames in blocks(len(take.film)):
        yield take.held(take.blendshapes, frames)[:, columns].reshape(-1, 1)


def _rotations(take: Take, joint: str) -> Iterator[Array]:
    """(N, 4) rotations of a joint, in blocks."""
    return (rotations(take, frames)[joint] for frames in blocks(len(take.film)))


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


def _folder() -> Path:
    return published("studio") / "characters"
