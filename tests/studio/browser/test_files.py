"""Files that are dragged in: what is wrong with them is said, and the page lives on."""

import base64
import json
import struct
from typing import Any

from tests.studio.browser.conftest import STUDIO, OpenStudio, Tab

DROP = """([name, type, content, repeat]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File(Array(repeat).fill(bytes), name, { type }));
    window.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def drop(tab: Tab, name: str, content: bytes, media_type: str = "", repeat: int = 1) -> None:
    """Drops a file that holds the content `repeat` times."""
    tab.page.evaluate(DROP, [name, media_type, base64.b64encode(content).decode(), repeat])


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


def test_each_bad_file_is_told_and_the_page_lives_on(open_studio: OpenStudio) -> None:
    tab = open_studio()
    tab.moving()
    drop(tab, "still.glb", triangle())
    tab.notice("Blend shapes with ARKit's names")
    drop(tab, "noise.glb", bytes(range(256)))
    tab.notice("This is no binary glTF file")
    drop(tab, "half.glb", triangle()[:60])
    tab.notice("The file ends too early")
    drop(tab, "<img src=x onerror=alert(1)>.glb", b"nothing at all")
    tab.notice("This is no binary glTF file")
    assert tab.page.locator("img[src=x]").count() == 0
    drop(tab, "large.glb", bytes(2**20), repeat=200)
    tab.notice("MB are the most")
    drop(tab, "old.vrm", triangle(extensions={"VRM": {"specVersion": "0.0"}}, extensionsUsed=["VRM"]))
    tab.notice("The character cannot be used")
    drop(tab, "film.mp4", b"\0\0\0\x18ftypisom" + bytes(64), "video/mp4")
    tab.notice("This browser cannot play the video")
    drop(tab, "picture.png", b"\x89PNG\r\n\x1a\n" + bytes(32), "image/png")
    tab.notice("This browser cannot show the picture")
    drop(tab, "letter.txt", b"Dear page", "text/plain")
    tab.notice("letter.txt is no video, picture or character")
    tab.moving()


def test_a_character_that_is_dropped_is_worn(open_studio: OpenStudio) -> None:
    tab = open_studio()
    tab.moving()
    drop(tab, "mine.glb", (STUDIO / "characters" / "human.glb").read_bytes())
    tab.wait("() => mfnStudio.people.some(({ character }) => character.includes('mine'))")
    tab.moving()
