"""The addon in Godot 4: a character follows the faces that `mfn watch --livelink` and a server send.

Godot is not among the packages that tests install. Where its web build is (index.js and index.wasm of an export
template), Chromium runs it:

    GODOT_WEB=FOLDER .venv/bin/python -m pytest tests/clients/godot
"""

import json
import os
import shutil
import struct
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from websockets.sync.server import ServerConnection, serve

from service.cli.avatar import livelink
from service.vision.arkit import ARKIT_NAMES
from service.vision.gaze import GAZE_NAMES, eye_rotations
from service.vision.rotation import euler_to_quaternion
from tests.clients.godot.project import PICTURE, pack
from tests.docs.pages import ROOT
from tests.service.processes import free_port, server, wait_until_ready

TURNS = [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, 25), (-40, 15, -10)]  # yaw, pitch, roll in degrees
TIME = livelink.FrameTime(1000, 0, 30, 1)
KEY = "key-of-the-godot-addons-tests"
SPELLINGS = {"EyeBlink_L": "eyeBlinkLeft", "head.jawOpen": "jawOpen", "browInnerUp_R": "browInnerUp", "smirk": ""}
PATIENCE_MS = 120_000
PAGE = """<canvas id="canvas"></canvas><script src="index.js"></script><script>
const told = [];
const engine = new Engine({
  executable: "index", mainPack: "project.zip", canvas: document.getElementById("canvas"), args: ["--headless"],
  onPrint: (...text) => told.push(text.join(" ")), onPrintError: (...text) => told.push(text.join(" ")),
});
engine.startGame().catch((error) => told.push(`FAILED ${error}`));
</script>"""


def weights(frame: int) -> np.ndarray:
    """(52,) that differ from frame to frame and from shape to shape."""
    return (np.arange(len(ARKIT_NAMES), dtype=np.float32) * 7 + frame * 11) % 53 / 53


def gaze(frame: int) -> np.ndarray:
    return (np.arange(len(GAZE_NAMES), dtype=np.float32) + frame) % 8 / 8


def quaternion(frame: int) -> np.ndarray:
    return euler_to_quaternion(*np.array(TURNS[frame], float))


def datagram(frame: int, subject: str = "mfn-2") -> bytes:
    return livelink.packet(weights(frame), gaze(frame), quaternion(frame), subject, TIME)


def noise() -> list[bytes]:
    """Datagrams that are no faces."""
    face = datagram(0)
    not_a_number = face[:-4] + struct.pack(">f", float("nan"))
    long_name = face[:1] + struct.pack(">i", 2**30) + face[5:]
    return [b"", b"\x06", b"\x05" + face[1:], face[:-1], face + b"\0", face[:50], long_name, not_a_number]


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    port = free_port()
    settings = {"MFN_CORS_ORIGINS": "*", "MFN_API_KEYS": KEY, "MFN_LOG_LEVEL": "critical"}
    with server(ROOT / "models", port, **settings):
        wait_until_ready(port)
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """A service that takes what comes, and answers nothing."""

    def listen(connection: ServerConnection) -> None:
        for _ in connection:
            pass

    with serve(listen, "127.0.0.1", 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{running.socket.getsockname()[1]}"
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def face(service: str) -> Any:
    """That of the picture, as the service answers it."""
    parameters = {"refine": "true", "include": "blendshapes"}
    answer = httpx2.post(
        f"http://{service}/retarget", params=parameters, content=PICTURE.read_bytes(), headers={"X-API-Key": KEY}
    )
    (face,) = answer.json()["faces"]
    return face


@pytest.fixture(scope="module")
def facts(service: str, face: Any, silent: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What scene.gd has printed."""
    pytest.importorskip("playwright", reason="Playwright, which drives Chromium, is not installed")
    from bench.browser import chromium

    folder = tmp_path_factory.mktemp("godot")
    for name in ("index.js", "index.wasm"):
        shutil.copy(Path(os.environ["GODOT_WEB"]) / name, folder)
    (folder / "index.html").write_text(PAGE)
    given = {
        "spellings": list(SPELLINGS),
        "subject": "mfn-2",
        "datagrams": [d.hex() for frame in range(len(TURNS)) for d in (datagram(frame), datagram(0, "mfn-1"))],
        "noise": [data.hex() for data in noise()],
        "stream": f"ws://{service}/retarget/stream",
        "key": KEY,
        "silent": silent,
    }
    pack(folder / "project.zip", given, face["expression"])
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        with chromium(camera=None) as browser:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{files.server_port}")
            over = "told.some((line) => line.startsWith('FACTS') || line.startsWith('FAILED'))"
            try:
                page.wait_for_function(over, timeout=PATIENCE_MS, polling=100)
            finally:
                lines: list[str] = page.evaluate("told")
                files.shutdown()
    (told,) = [line for line in lines if line.startswith("FACTS")] or pytest.fail("\n".join(lines))
    assert not [line for line in lines if "SCRIPT ERROR" in line]
    found: dict[str, Any] = json.loads(told.removeprefix("FACTS "))
    return found


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and tells no one."""

    def log_message(self, *_: object) -> None:
        """Says nothing."""


pytestmark = pytest.mark.skipif("GODOT_WEB" not in os.environ, reason="GODOT_WEB is not set: see test_in_godot.py")


def assert_turned(shown: dict[str, Any], rest: dict[str, Any], head: np.ndarray, gaze: np.ndarray) -> None:
    """Parts are turned in the frame of the character, which is glTF's; the eyes with the head."""
    turns = {"head": head}
    for eye, (yaw, pitch) in zip(("eye_left", "eye_right"), eye_rotations(gaze), strict=True):
        turns[eye] = head @ Rotation.from_euler("YX", [yaw, pitch], degrees=True).as_matrix()
    for part, turn in turns.items():
        np.testing.assert_allclose(shown[part], turn @ rest[part], atol=1e-5, err_msg=part)


def test_it_is_godot_4(facts: dict[str, Any]) -> None:
    assert facts["program"].startswith("4.")


def test_blend_shapes_follow_the_subject(facts: dict[str, Any]) -> None:
    for frame in range(len(TURNS)):
        own, other = facts["live"][1 + 2 * frame], facts["live"][2 + 2 * frame]
        assert (own["subject"], other["subject"]) == ("mfn-2", "mfn-1")
        assert own["shapes"] == other["shapes"]
        assert own["shapes"].keys() == set(ARKIT_NAMES)
        np.testing.assert_allclose([own["shapes"][name] for name in ARKIT_NAMES], weights(frame), atol=1e-6)


def test_head_and_eyes_turn_as_the_persons(facts: dict[str, Any]) -> None:
    rest = facts["live"][0]["parts"]
    for frame in range(len(TURNS)):
        head = Rotation.from_quat(quaternion(frame)).as_matrix()
        assert_turned(facts["live"][1 + 2 * frame]["parts"], rest, head, gaze(frame))


def test_what_is_no_face_is_refused(facts: dict[str, Any]) -> None:
    assert facts["refused"] == [True] * len(noise())


def test_usual_spellings_are_known(facts: dict[str, Any]) -> None:
    assert dict(zip(SPELLINGS, facts["names"], strict=True)) == SPELLINGS


def test_a_stream_moves_the_character(facts: dict[str, Any], face: Any) -> None:
    streamed = facts["streamed"]
    assert streamed["problems"] == []
    assert streamed["answers"][:3] == [1, 1, 1]
    assert streamed["sent"] >= 3
    shown, told = streamed["shapes"], face["blendshapes"]
    np.testing.assert_allclose([shown[n] for n in ARKIT_NAMES], [told[n] for n in ARKIT_NAMES], atol=0.1)
    head = np.array(streamed["parts"]["head"])
    turned = Rotation.from_matrix(head) * Rotation.from_quat(face["pose"]["quaternion"]).inv()
    assert np.degrees(turned.magnitude()) < 2
    assert_turned(streamed["parts"], facts["live"][0]["parts"], head, np.array([shown[name] for name in GAZE_NAMES]))


def test_of_a_saved_resting_face_little_is_left(facts: dict[str, Any], face: Any) -> None:
    """Only what the picture loses as another JPEG."""
    assert facts["rested"]["problems"] == []
    expressions = [name for name in ARKIT_NAMES if name not in GAZE_NAMES]
    assert max(face["blendshapes"][name] for name in expressions) > 0.3
    assert max(facts["rested"]["weights"][name] for name in expressions) < 0.05


def test_what_holds_no_resting_face_is_told_and_goes_without(facts: dict[str, Any]) -> None:
    assert facts["unrested"]["problems"] == ["neutral holds no resting face; give a file of mfn capture"]
    assert max(facts["unrested"]["weights"].values()) > 0.3


def test_a_stream_without_answers_connects_anew(facts: dict[str, Any], silent: str) -> None:
    assert facts["silence"] == [f"{silent}: no answer for 0.1 s"] * 2
