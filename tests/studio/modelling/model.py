"""The characters' files, read by hand from the specification of glTF."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from service.vision.arkit import ARKIT_NAMES

FOLDER = Path(__file__).resolve().parents[3] / "studio" / "characters"
NAMES = ("alien", "cat", "goblin", "human", "robot")
COMPONENTS = {5121: np.uint8, 5123: np.uint16, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Model:
    """A .glb file, read as the specification says."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        size = struct.unpack_from("<I", data, 12)[0]
        self.json: dict[str, Any] = json.loads(data[20 : 20 + size])
        self.binary = data[28 + size :]

    def node(self, name: str) -> dict[str, Any]:
        """The one node of a name."""
        (node,) = (node for node in self.json["nodes"] if node.get("name") == name)
        return dict(node)

    def children(self, name: str) -> list[str]:
        """Names of a node's children."""
        return [self.json["nodes"][child]["name"] for child in self.node(name).get("children", [])]

    def place(self, name: str) -> np.ndarray:
        """(3,) where a node is, in metres; nothing is turned at rest."""
        at = np.asarray(self.node(name).get("translation", [0, 0, 0]), float)
        parents = [
            n["name"]
            for n in self.json["nodes"]
            if name in (self.json["nodes"][c]["name"] for c in n.get("children", []))
        ]
        return at + self.place(parents[0]) if parents else at

    def array(self, index: int) -> np.ndarray:
        """The values of an accessor, sparse ones filled in."""
        accessor = self.json["accessors"][index]
        width, kind = WIDTHS[accessor["type"]], COMPONENTS[accessor["componentType"]]
        values = np.zeros((accessor["count"], width), kind)
        if "bufferView" in accessor:
            values = self._rows(accessor["bufferView"], accessor["count"], width, kind)
        if sparse := accessor.get("sparse"):
            where = self._rows(
                sparse["indices"]["bufferView"], sparse["count"], 1, COMPONENTS[sparse["indices"]["componentType"]]
            )
            values[where[:, 0]] = self._rows(sparse["values"]["bufferView"], sparse["count"], width, kind)
        return values

    def _rows(self, view: int, count: int, width: int, kind: Any) -> np.ndarray:
        told = self.json["bufferViews"][view]
        size = np.dtype(kind).itemsize * width
        stride = told.get("byteStride", size)
        start = told["byteOffset"]
        rows = [np.frombuffer(self.binary, kind, width, start + row * stride) for row in range(count)]
        return np.array(rows)

    @property
    def face(self) -> dict[str, Any]:
        """The mesh that the face's motion deforms."""
        return dict(self.json["meshes"][self.node("face")["mesh"]])

    def primitive(self, material: str) -> dict[str, Any]:
        """The face's primitive of a material."""
        (found,) = (p for p in self.face["primitives"] if self.json["materials"][p["material"]]["name"] == material)
        return dict(found)

    def target(self, material: str, name: str) -> np.ndarray:
        """(V, 3) metres by which a morph target moves the vertices of a primitive at weight 1."""
        return self.array(self.primitive(material)["targets"][ARKIT_NAMES.index(name)]["POSITION"])
