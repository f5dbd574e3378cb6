"""A character as an artist's program might export it: a triangle with targets, under bones whose axes are odd."""

import json
import struct
from pathlib import Path
from typing import Any, Final

from scipy.spatial.transform import Rotation

TARGETS: Final = ("Face.jawOpen", "smirk", "eyeBlink_L", "browInnerUp_L", "browInnerUp_R")
SMIRK: Final = 0.25  # at rest
# Rotations at rest, about axes that no two bones share, in degrees.
BONES: Final = {"mixamorigHips": (10, 20, 30), "mixamorigNeck": (-40, 5, 60), "mixamorigHead": (70, -80, 15)}
EYES: Final = {"mixamorigLeftEye": (0, 90, 0), "mixamorigRightEye": (33, -20, 100)}
TRIANGLE: Final = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)


def document() -> dict[str, Any]:
    """Two meshes with the same targets, one with none, and an animation of the file's own."""
    names = [*BONES, *EYES]
    nodes: list[dict[str, Any]] = [
        {"name": name, "rotation": Rotation.from_euler("xyz", angles, degrees=True).as_quat().tolist()}
        for name, angles in (BONES | EYES).items()
    ]
    for above, below in ((0, [1]), (1, [2]), (2, [3, 4])):
        nodes[above]["children"] = below
    nodes += [{"name": "body", "mesh": 0}, {"name": "teeth", "mesh": 1}, {"name": "Head_Cap", "mesh": 2}]
    primitive = {"attributes": {"POSITION": 0}, "targets": [{"POSITION": 0}] * len(TARGETS)}
    weights = [SMIRK if name == "smirk" else 0.0 for name in TARGETS]
    moved = {"primitives": [primitive], "weights": weights}
    bounds = {"min": [0, 0, 0], "max": [1, 1, 0]}
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0, *range(len(names), len(nodes))]}],
        "nodes": nodes,
        "meshes": [
            moved | {"extras": {"targetNames": list(TARGETS)}},
            moved | {"primitives": [primitive | {"extras": {"targetNames": list(TARGETS)}}]},
            {"primitives": [{"attributes": {"POSITION": 0}}]},
        ],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", **bounds}],
        "bufferViews": [{"buffer": 0, "byteLength": len(TRIANGLE)}],
        "buffers": [{"byteLength": len(TRIANGLE)}],
        "animations": [{"name": "idle", "channels": [], "samplers": []}],
    }


def write_glb(path: Path, of: Any, binary: bytes | None = TRIANGLE, version: int = 2) -> Path:
    """A .glb file of a document, and of a buffer where there is one."""
    text = of if isinstance(of, bytes) else json.dumps(of).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    if binary is not None:
        chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    path.write_bytes(struct.pack("<4sII", b"glTF", version, 12 + len(chunks)) + chunks)
    return path


def read_document(path: Path) -> Any:
    data = path.read_bytes()
    return json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
