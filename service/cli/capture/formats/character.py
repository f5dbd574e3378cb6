"""A character as a .glb file has it: binary glTF 2.0 with morph targets that a face moves, and joints that it turns."""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from service.cli.capture.formats.character_names import JOINTS, is_joint, shapes_of
from service.published import published
from service.vision.arrays import Array
from service.vision.rotation import inverse, matrix_to_quaternion, multiply, normalize

# A body with fingers and hair has some hundred nodes, a face some hundred targets.
MAX_BYTES: Final = 100_000_000  # of a file, as on Studio's page
MAX_TEXT: Final = 20_000_000  # bytes of its JSON
MAX_NODES: Final = 10_000
MAX_DEPTH: Final = 500  # of a node below the scene
MAX_TARGETS: Final = 1000  # of a mesh
HEADER: Final = struct.Struct("<4sII")  # magic, version, bytes in all
CHUNK: Final = struct.Struct("<I4s")  # bytes, kind
MAGIC, VERSION = b"glTF", 2
JSON_KIND: Final = b"JSON"
BINARY_KIND: Final = b"BIN\0"
AT_REST: Final = np.array([0.0, 0.0, 0.0, 1.0])  # a rotation by nothing
# What reading something else than glTF 2.0 ends with: lists that are numbers, places that are not there, and so on.
NO_GLTF: Final = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError, struct.error)


class CharacterError(Exception):
    """A file holds no character that a face can move; the message tells why and what to do."""


@dataclass(frozen=True)
class Targets:
    """The T morph targets of a mesh, K of which are blendshapes of ARKit. shapes: (K,) their places in ARKIT_NAMES.
    places: (K,) and among the T. rest: (T,) weights of all."""

    shapes: tuple[int, ...]
    places: tuple[int, ...]
    rest: tuple[float, ...]


@dataclass(frozen=True)
class Joint:
    """A node that turns. node: its place among the nodes. parent: (4,) rotation of its parent at rest, in the scene.
    rest: (4,) its own, relative to its parent."""

    node: int
    parent: Array
    rest: Array

    def turned(self, rotation: Array) -> Array:
        """Its rotations (N, 4), relative to its parent, that turn it by rotations (N, 4) in the scene's frame beyond
        what its parent is turned by: parent^-1 rotation parent rest."""
        return multiply(inverse(self.parent), multiply(rotation, multiply(self.parent, self.rest)))


@dataclass(frozen=True)
class Character:
    """A character. text: its glTF document, JSON. binary: its buffer, of a multiple of four bytes. faces: the morph
    targets of one node or more, by the node's place. joints: by names in JOINTS, those that there are; a neck only with
    a head that it carries."""

    text: bytes
    binary: bytes
    faces: Mapping[int, Targets]
    joints: Mapping[str, Joint]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads a .glb file. Raises CharacterError."""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            there = ", ".join(characters()) or "none are installed"
            raise CharacterError(
                f"{path}: {error.strerror or error}. Give a .glb file, or one of Studio's characters: {there}."
            ) from error
        if len(data) > MAX_BYTES:
            raise CharacterError(f"{path} has more than {MAX_BYTES / 1e6:g} MB. Export it with smaller textures.")
        try:
            text, binary = _chunks(data)
            document = json.loads(text)
            faces, joints = dict(_faces(document)), _joints(document)
            _check_buffers(document, binary)
        except CharacterError as error:
            raise CharacterError(f"{path} {error}") from error
        except NO_GLTF as error:
            raise CharacterError(
                f"{path} is not as glTF 2.0 has it. Export it again; Khronos' glTF-Validator tells what is wrong."
            ) from error
        if not faces:
            raise CharacterError(
                f"{path} has no morph targets by ARKit's names, as jawOpen. Name its shape keys so, and export them."
            )
        return cls(text, binary, faces, joints)


def characters() -> tuple[str, ...]:
    """Names of Studio's characters."""
    return tuple(sorted(path.stem for path in _folder().glob("*.glb")))


def character_file(name: str) -> Path:
    """The file of Studio's character of a name, otherwise the file of this name."""
    return _folder() / f"{name}.glb" if name in characters() else Path(name)


def _folder() -> Path:
    return published("studio") / "characters"


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    """JSON and buffer of a .glb file; b"" where there is no buffer."""
    if data[:4] != MAGIC:
        raise CharacterError("is no binary glTF file. Export the character as .glb.")
    _, version, size = HEADER.unpack_from(data)
    if version != VERSION:
        raise CharacterError(f"is glTF {version}. Export it as glTF 2.0.")
    if size > len(data):
        raise CharacterError("is cut short. Export or download it again.")
    chunks: dict[bytes, bytes] = {}
    at = HEADER.size
    while at < size:
        length, kind = CHUNK.unpack_from(data, at)
        at += CHUNK.size
        chunks.setdefault(kind, data[at : at + length])
        at += length
    if len(chunks[JSON_KIND]) > MAX_TEXT:
        raise CharacterError(f"describes its scene in more than {MAX_TEXT / 1e6:g} MB. Export the character alone.")
    return chunks[JSON_KIND], chunks.get(BINARY_KIND, b"")


def _check_buffers(document: dict[str, Any], binary: bytes) -> None:
    """Raises CharacterError where something lies outside the file."""
    buffers, images = document["buffers"], document.get("images", [])
    if any(not entry.get("uri", "data:").startswith("data:") for entry in [*buffers, *images]):
        raise CharacterError("refers to other files. Export it as one .glb, with textures inside.")
    if "uri" in buffers[0] or len(binary) % 4 or not 0 < buffers[0]["byteLength"] <= len(binary):
        raise CharacterError("has no buffer inside. Export it again as .glb.")
    for name in ("accessors", "bufferViews"):
        if not isinstance(document[name], list):
            raise TypeError(name)


def _faces(document: dict[str, Any]) -> Iterator[tuple[int, Targets]]:
    meshes = document.get("meshes", [])
    for place, node in enumerate(_nodes(document)):
        if "mesh" not in node:
            continue
        mesh = meshes[node["mesh"]]
        count = len(mesh["primitives"][0].get("targets", []))
        if count > MAX_TARGETS:
            raise CharacterError(f"has {count} morph targets on a mesh; {MAX_TARGETS} are the most. Export fewer.")
        found = {at: shape for at, shape in enumerate(shapes_of(_target_names(mesh)[:count])) if shape is not None}
        if found:
            rest = node.get("weights", mesh.get("weights", [0.0] * count))
            if len(rest) != count:
                raise ValueError("weights of other targets")
            yield place, Targets(tuple(found.values()), tuple(found), tuple(map(float, rest)))


def _nodes(document: dict[str, Any]) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = document.get("nodes", [])
    if len(nodes) > MAX_NODES:
        raise CharacterError(f"has {len(nodes)} nodes; {MAX_NODES} are the most. Export the character alone.")
    return nodes


def _target_names(mesh: dict[str, Any]) -> list[str]:
    """The names of a mesh's targets, which some programs write beside each primitive."""
    extras = [holder.get("extras") for holder in (mesh, *mesh["primitives"])]
    names = [extra["targetNames"] for extra in extras if isinstance(extra, dict) and extra.get("targetNames")]
    return list(map(str, names[0])) if names else []


def _joints(document: dict[str, Any]) -> dict[str, Joint]:
    """The joints that there are. Of several nodes that could be one, a skin's joint comes first, a mesh last."""
    nodes = _nodes(document)
    parents = {child: place for place, node in enumerate(nodes) for child in node.get("children", [])}
    bones = {joint for skin in document.get("skins", []) for joint in skin["joints"]}
    places = [place for place, node in enumerate(nodes) if "skin" not in node]  # a skinned mesh moves with its joints
    places.sort(key=lambda place: 0 if place in bones else 2 if "mesh" in nodes[place] else 1)
    found: dict[str, int] = {}
    for joint in JOINTS:
        fits = [place for place in places if is_joint(joint, str(nodes[place].get("name", "")))]
        if fits:
            found[joint] = fits[0]
    if "neck" in found and ("head" not in found or found["neck"] not in _above(found["head"], parents)):
        del found["neck"]
    joints = {}
    for joint, place in found.items():
        if "matrix" in nodes[place]:
            raise CharacterError(f"has a matrix on {nodes[place]['name']!r:.60}. Export its rotation instead.")
        parent = AT_REST
        for above in _above(place, parents):
            parent = multiply(_rotation(nodes[above]), parent)
        joints[joint] = Joint(place, parent, _rotation(nodes[place]))
    return joints


def _above(place: int, parents: Mapping[int, int]) -> list[int]:
    """The nodes above one, the nearest first. Raises ValueError where they are too many, as where it is its own."""
    above: list[int] = []
    while place in parents:
        place = parents[place]
        if len(above) == MAX_DEPTH:
            raise ValueError("nodes in a circle, or too many below each other")
        above.append(place)
    return above


def _rotation(node: dict[str, Any]) -> Array:
    """A node's rotation (4,), float64."""
    if "matrix" in node:
        columns = np.array(node["matrix"], np.float64).reshape(4, 4)[:3, :3]  # a row here is a column of the matrix
        return matrix_to_quaternion((columns / np.linalg.norm(columns, axis=1, keepdims=True)).T)
    rotation = np.array(node.get("rotation", AT_REST), np.float64)
    if rotation.shape != (4,) or not np.isfinite(rotation).all():
        raise ValueError("no quaternion")
    return normalize(rotation)
