"""Writes binary glTF 2.0 (.glb): core features only, 32-bit floats, 16-bit indices, sparse morph targets.

The same calls give the same bytes.
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

FLOAT, UNSIGNED_BYTE, UNSIGNED_SHORT = 5126, 5121, 5123  # componentType
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963  # bufferView.target
COMPONENT_OF_DTYPE = {"float32": FLOAT, "uint8": UNSIGNED_BYTE, "uint16": UNSIGNED_SHORT}
TYPE_OF_WIDTH = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
MAX_VERTICES = 65535  # of a primitive: 65535 itself restarts primitives

Json = dict[str, Any]


class Document:
    """A glTF document that grows: each `add` appends an object and returns its index."""

    def __init__(self, asset: Json) -> None:
        self.json: Json = {"asset": {"version": "2.0", **asset}}
        self._binary = bytearray()

    def add(self, kind: str, value: Json) -> int:
        """Appends an object to one of the document's arrays, "nodes" for example."""
        values: list[Json] = self.json.setdefault(kind, [])
        values.append(value)
        return len(values) - 1

    def add_bytes(self, data: bytes, target: int | None = None) -> int:
        """A bufferView of bytes, which start at a multiple of four."""
        self._binary.extend(bytes(-len(self._binary) % 4))
        view: Json = {"buffer": 0, "byteOffset": len(self._binary), "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        self._binary.extend(data)
        return self.add("bufferViews", view)

    def add_attribute(self, values: np.ndarray, *, bounds: bool = False, normalized: bool = False) -> int:
        """An accessor of one value a vertex: (V, D) float32, uint8 or uint16. Rows are padded to four bytes."""
        width = values.shape[1]
        stride = values.itemsize * width
        padding = -stride % 4
        rows = values.view(np.uint8).reshape(len(values), stride) if values.flags.c_contiguous else None
        if rows is None:
            return self.add_attribute(np.ascontiguousarray(values), bounds=bounds, normalized=normalized)
        view = self.add_bytes(np.pad(rows, ((0, 0), (0, padding))).tobytes(), ARRAY_BUFFER)
        if padding:
            self.json["bufferViews"][view]["byteStride"] = stride + padding
        return self.add("accessors", {"bufferView": view, **_accessor(values, bounds, normalized)})

    def add_indices(self, triangles: np.ndarray) -> int:
        """An accessor of triangles (T, 3), as 16-bit indices."""
        if triangles.max() >= MAX_VERTICES:
            raise ValueError(f"a primitive has {triangles.max() + 1} vertices; 16-bit indices take {MAX_VERTICES}")
        flat = triangles.astype(np.uint16).reshape(-1, 1)
        view = self.add_bytes(flat.tobytes(), ELEMENT_ARRAY_BUFFER)
        return self.add("accessors", {"bufferView": view, **_accessor(flat, False, False)})

    def add_matrices(self, matrices: np.ndarray) -> int:
        """An accessor of matrices (N, 4, 4), which multiply columns."""
        flat = np.ascontiguousarray(matrices.transpose(0, 2, 1).reshape(-1, 16), np.float32)
        return self.add("accessors", {"bufferView": self.add_bytes(flat.tobytes()), **_accessor(flat, False, False)})

    def add_sparse(self, kept: np.ndarray, fields: dict[str, np.ndarray], count: int) -> dict[str, int]:
        """Accessors that are zero but at the vertices kept (K,): one for each of the fields (K, 3), by its name.

        K is at least 1. count: vertices of the primitive. The fields share one list of indices.
        """
        accessors: dict[str, int] = {}
        indices = self.add_bytes(kept.astype(np.uint16).tobytes())
        for name, values in fields.items():
            values = np.ascontiguousarray(values, np.float32)
            accessor: Json = {
                "componentType": FLOAT,
                "count": count,
                "type": "VEC3",
                "sparse": {
                    "count": len(kept),
                    "indices": {"bufferView": indices, "componentType": UNSIGNED_SHORT},
                    "values": {"bufferView": self.add_bytes(values.tobytes())},
                },
            }
            if name == "POSITION":
                whole = values if len(kept) == count else np.vstack([values, np.zeros((1, 3), np.float32)])
                accessor |= {"min": _numbers(whole.min(0)), "max": _numbers(whole.max(0))}
            accessors[name] = self.add("accessors", accessor)
        return accessors

    def add_image(self, data: bytes, mime_type: str, name: str) -> int:
        """A texture of an embedded picture, image/png or image/jpeg."""
        image = self.add("images", {"bufferView": self.add_bytes(data), "mimeType": mime_type, "name": name})
        return self.add("textures", {"source": image})

    def write(self, path: Path) -> None:
        """Writes the .glb file."""
        self._binary.extend(bytes(-len(self._binary) % 4))
        self.json["buffers"] = [{"byteLength": len(self._binary)}]
        text = json.dumps(self.json, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + len(self._binary)
        header = struct.pack("<4sII", b"glTF", 2, length)
        chunks = [(b"JSON", text), (b"BIN\0", bytes(self._binary))]
        body = b"".join(struct.pack("<I4s", len(data), kind) + data for kind, data in chunks)
        path.write_bytes(header + body)


def _accessor(values: np.ndarray, bounds: bool, normalized: bool) -> Json:
    accessor: Json = {
        "componentType": COMPONENT_OF_DTYPE[values.dtype.name],
        "count": len(values),
        "type": TYPE_OF_WIDTH[values.shape[1]],
    }
    if normalized:
        accessor["normalized"] = True
    if bounds:
        accessor |= {"min": _numbers(values.min(0)), "max": _numbers(values.max(0))}
    return accessor


def _numbers(values: np.ndarray) -> list[float]:
    return [float(value) for value in values]
