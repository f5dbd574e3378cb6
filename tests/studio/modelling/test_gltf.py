"""The .glb files that the writer makes, read back by hand from the specification."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.modelling.gltf import Document


def read_back(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    assert size % 4 == 0
    binary_size, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert kind == b"BIN\0"
    assert 28 + size + binary_size == len(data)
    return json.loads(data[20 : 20 + size]), data[28 + size :]


def test_attributes_come_back_and_start_at_multiples_of_four(tmp_path: Path) -> None:
    document = Document({"generator": "test"})
    points = np.arange(9, dtype=np.float32).reshape(3, 3)
    bytes_of_three = np.arange(9, dtype=np.uint8).reshape(3, 3)
    document.add_attribute(bytes_of_three)
    document.add_attribute(points, bounds=True)
    document.write(tmp_path / "a.glb")
    told, binary = read_back(tmp_path / "a.glb")
    assert told["buffers"] == [{"byteLength": len(binary)}]
    padded, plain = told["bufferViews"]
    assert padded["byteStride"] == 4
    assert plain["byteOffset"] % 4 == 0
    rows = np.frombuffer(binary, np.uint8, 12, padded["byteOffset"]).reshape(3, 4)
    np.testing.assert_array_equal(rows[:, :3], bytes_of_three)
    values = np.frombuffer(binary, "<f4", 9, plain["byteOffset"]).reshape(3, 3)
    np.testing.assert_array_equal(values, points)
    assert told["accessors"][1]["min"] == [0, 1, 2]
    assert told["accessors"][1]["max"] == [6, 7, 8]


def test_sparse_accessors_share_their_indices(tmp_path: Path) -> None:
    document = Document({})
    kept = np.array([1, 4])
    moved = np.array([[0, 0, 1], [0, 2, 0]], np.float32)
    accessors = document.add_sparse(kept, {"POSITION": moved, "NORMAL": 2 * moved}, 6)
    document.write(tmp_path / "a.glb")
    told, binary = read_back(tmp_path / "a.glb")
    position, normal = (told["accessors"][accessors[name]] for name in ("POSITION", "NORMAL"))
    assert position["sparse"]["indices"] == normal["sparse"]["indices"]
    assert position["count"] == 6
    assert position["min"] == [0, 0, 0]
    assert position["max"] == [0, 2, 1]
    at = told["bufferViews"][position["sparse"]["indices"]["bufferView"]]["byteOffset"]
    assert np.frombuffer(binary, "<u2", 2, at).tolist() == [1, 4]
    at = told["bufferViews"][normal["sparse"]["values"]["bufferView"]]["byteOffset"]
    np.testing.assert_array_equal(np.frombuffer(binary, "<f4", 6, at).reshape(2, 3), 2 * moved)


def test_more_vertices_than_16_bits_count_are_refused() -> None:
    with pytest.raises(ValueError, match="65536 vertices"):
        Document({}).add_indices(np.array([[0, 1, 65535]]))


def test_the_same_calls_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        document = Document({"generator": "test"})
        document.add_image(b"picture", "image/png", "picture")
        document.add_matrices(np.eye(4)[None])
        document.write(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
