"""Files that are dragged in: what is wrong with them is said, and the page lives on."""

import json
import struct
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.studio.browser.conftest import STUDIO, OpenStudio

# Counts what the page takes of files.
COUNT = """() => {
    window.bytesRead = 0;
    const count = (type, name) => {
        const read = type.prototype[name];
        if (read) type.prototype[name] = function (...given) {
            window.bytesRead += (given[0] ?? this).size;
            return read.apply(this, given);
        };
    };
    for (const name of ["arrayBuffer", "bytes", "stream", "text"]) count(Blob, name);
    for (const name of ["readAsArrayBuffer", "readAsBinaryString", "readAsDataURL", "readAsText"])
        count(FileReader, name);
    const address = URL.createObjectURL;
    URL.createObjectURL = (blob) => ((window.bytesRead += blob.size), address(blob));
}"""
# The bones that each humanoid of VRM has, and the one that each hangs on.
BONES = {"hips": "", "spine": "hips", "neck": "spine", "head": "neck"} | {
    f"{side}{part}": parent.format(side)
    for side in ("left", "right")
    for part, parent in {
        "UpperArm": "spine",
        "LowerArm": "{}UpperArm",
        "Hand": "{}LowerArm",
        "UpperLeg": "hips",
        "LowerLeg": "{}UpperLeg",
        "Foot": "{}LowerLeg",
    }.items()
}


def glb(document: dict[str, Any], binary: bytes = b"") -> bytes:
    """A binary glTF file."""
    text = json.dumps({"asset": {"version": "2.0"}, **document}).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    if binary:
        chunks += struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks


def triangle(**more: Any) -> bytes:
    """A file with one triangle and no morph targets."""
    positions = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)
    return glb(
        {
            "buffers": [{"byteLength": len(positions)}],
            "bufferViews": [{"buffer": 0, "byteLength": len(positions)}],
            "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3",
                           "min": [0, 0, 0], "max": [1, 1, 0]}],
            "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
            "nodes": [{"mesh": 0}], "scenes": [{"nodes": [0]}], "scene": 0,
            **more,
        },
        positions,
    )  # fmt: skip


def avatar() -> bytes:
    """An avatar of VRM 0 with the mouth's A: a triangle at the head, one corner of which a morph target moves."""
    names = list(BONES)
    sides = {"left": 0.2, "right": -0.2}
    nodes: list[dict[str, Any]] = [
        {
            "name": name,
            "translation": [next((x for side, x in sides.items() if name.startswith(side)), 0), 0.2, 0],
            "children": [i for i, child in enumerate(names) if BONES[child] == name],
        }
        for name in names
    ]
    nodes[names.index("head")]["children"] = [len(names)]
    for node in nodes:
        if not node["children"]:
            del node["children"]  # which glTF lets nobody have empty
    corners = struct.pack("<9f", -0.1, 0, 0, 0.1, 0, 0, 0, 0.3, 0.05)
    moves = struct.pack("<9f", 0, 0, 0, 0, 0, 0, 0, 0.01, 0.02)
    size = {"componentType": 5126, "count": 3, "type": "VEC3", "min": [-1, -1, -1], "max": [1, 1, 1]}
    mouth = {"name": "A", "presetName": "a", "binds": [{"mesh": 0, "index": 0, "weight": 100}]}
    description = {
        "specVersion": "0.0",
        "meta": {"title": "Avatar"},
        "humanoid": {"humanBones": [{"bone": name, "node": i} for i, name in enumerate(names)]},
        "blendShapeMaster": {"blendShapeGroups": [mouth]},
        "firstPerson": {},
        "secondaryAnimation": {"boneGroups": [], "colliderGroups": []},
        "materialProperties": [],
    }
    return glb(
        {
            "buffers": [{"byteLength": 72}],
            "bufferViews": [{"buffer": 0, "byteOffset": at, "byteLength": 36} for at in (0, 36)],
            "accessors": [{"bufferView": 0, **size}, {"bufferView": 1, **size}],
            "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "targets": [{"POSITION": 1}]}]}],
            "nodes": [*nodes, {"name": "face", "mesh": 0}],
            "scenes": [{"nodes": [0]}],
            "scene": 0,
            "extensionsUsed": ["VRM"],
            "extensions": {"VRM": description},
        },
        corners + moves,
    )


def film_of_another_codec(path: Path) -> bytes:
    """A film in FFV1, which no browser plays."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        film.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        film.mux(stream.encode())
    return path.read_bytes()


def test_each_bad_file_is_told_and_the_page_lives_on(open_studio: OpenStudio, tmp_path: Path) -> None:
    tab = open_studio()
    tab.moving()
    tab.drop("still.glb", triangle())
    tab.notice("Blend shapes with ARKit's names")
    tab.drop("noise.glb", bytes(range(256)))
    tab.notice("This is no binary glTF file")
    tab.drop("half.glb", triangle()[:60])
    tab.notice("The file ends too early")
    tab.drop("<img src=x onerror=alert(1)>.glb", b"nothing at all")
    tab.notice("This is no binary glTF file")
    assert tab.page.locator("img[src=x]").count() == 0
    tab.page.evaluate(COUNT)
    tab.drop("large.glb", bytes(2**20), repeat=200)
    tab.notice("The file has 210 MB")
    assert tab.page.evaluate("bytesRead") < 2**20
    tab.drop("old.vrm", triangle(extensions={"VRM": {"specVersion": "0.0"}}, extensionsUsed=["VRM"]))
    tab.notice("The avatar")
    tab.drop("film.mp4", b"\0\0\0\x18ftypisom" + bytes(64), "video/mp4")
    tab.notice("film.mp4 is no video, or in a codec that this browser does not have")
    tab.drop("film.mkv", film_of_another_codec(tmp_path / "film.mkv"), "video/x-matroska")
    tab.notice("film.mkv is no video, or in a codec that this browser does not have")
    tab.drop("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(32), "image/png")
    tab.notice("picture.png is no picture that this browser reads")
    tab.drop("letter.txt", b"Dear page", "text/plain")
    tab.notice("letter.txt is no video, picture or character")
    tab.moving()


def test_a_character_that_is_dropped_is_worn(open_studio: OpenStudio, screenshots: Path) -> None:
    tab = open_studio("?characters=cat")
    tab.moving()
    people = tab.page.get_by_role("group", name="People")
    for name, content in (("mine.glb", (STUDIO / "characters" / "human.glb").read_bytes()), ("old.vrm", avatar())):
        tab.drop(name, content)
        tab.wait("name => mfnStudio.people.some(({ character }) => name.startsWith(character))", name)
        people.get_by_role("button").filter(has_text=name[:-4]).and_(tab.page.locator("[aria-busy=false]")).wait_for()
        tab.moving()
        tab.page.screenshot(path=screenshots / f"{name}.png")
        assert tab.page.get_by_role("alert").count() == 0
