"""The add-on in Blender, on a character of the Studio, by the faces that `mfn watch --livelink` sends.

Blender takes hundreds of megabytes: name an interpreter that has the package bpy, and it runs too.

    BLENDER_PYTHON=FOLDER/bin/python .venv/bin/python -m pytest tests/clients/blender
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from service.cli.avatar import livelink
from service.cli.avatar.udp import UdpSender
from service.vision.arkit import ARKIT_NAMES
from service.vision.gaze import GAZE_NAMES, eye_rotations
from service.vision.rotation import euler_to_quaternion
from tests.clients.blender.addon import FILE
from tests.clients.blender.test_mfn_face import BLENDER, csv_take
from tests.docs.pages import ROOT
from tests.service.processes import free_port

TURNS = [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, 25), (-40, 15, -10)]  # yaw, pitch, roll in degrees
RATE, SCENE_RATE = 30, 24  # frames a second
START, CSV_STARTS = 10, (100, 200)  # frames of the scene
EXACT = 1e-5


def weights(frame: int) -> np.ndarray:
    """(52,) that differ from frame to frame and from shape to shape."""
    return (np.arange(len(ARKIT_NAMES), dtype=np.float32) * 7 + frame * 11) % 53 / 53


def gaze(frame: int) -> np.ndarray:
    return (np.arange(len(GAZE_NAMES), dtype=np.float32) + frame) % 8 / 8


def quaternion(frame: int) -> np.ndarray:
    return euler_to_quaternion(*np.array(TURNS[frame], float))


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not os.environ.get("BLENDER_PYTHON"):
        pytest.skip(f"BLENDER_PYTHON is not set: see {Path(__file__).name}")
    port = free_port()
    take = csv_take(tmp_path_factory.mktemp("take") / "take.csv", [f"01:00:00:{frame:02}.000" for frame in range(30)])
    character, scene = ROOT / "studio/characters/human.glb", Path(__file__).with_name("scene.py")
    command: list[str | Path] = [
        os.environ["BLENDER_PYTHON"],
        scene,
        FILE,
        character,
        str(port),
        str(2 * len(TURNS)),
        take,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as blender:
        assert blender.stdout is not None
        assert "ready\n" in iter(blender.stdout.readline, "")
        with UdpSender("127.0.0.1", port) as sender:
            for frame in range(len(TURNS)):
                when = livelink.FrameTime(1000 + frame, 0, RATE, 1)
                other = livelink.packet(1 - weights(frame), gaze(0), quaternion(0), "mfn-1", when)
                sender.send(livelink.packet(weights(frame), gaze(frame), quaternion(frame), "mfn-2", when), other)
        out, errors = blender.communicate(timeout=120)
        assert blender.returncode == 0, errors
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def assert_shapes(found: dict[str, float], expected: np.ndarray) -> None:
    assert found.keys() == set(ARKIT_NAMES)
    np.testing.assert_allclose([found[name] for name in ARKIT_NAMES], expected, atol=EXACT)


def test_head_and_eyes_are_found(facts: dict[str, Any]) -> None:
    assert facts["found"] == {"head": "head", "eye_left": "eye_left", "eye_right": "eye_right"}


def test_the_character_follows_its_subject(facts: dict[str, Any]) -> None:
    assert set(facts["heard"]) == {"mfn-1", "mfn-2"}
    assert_shapes(facts["live"]["shapes"], weights(len(TURNS) - 1))


def test_frames_are_keyed_at_their_times(facts: dict[str, Any]) -> None:
    expected = START + np.arange(len(TURNS)) * SCENE_RATE / RATE
    np.testing.assert_allclose(facts["keyed"], [expected], atol=1e-4)
    np.testing.assert_allclose(facts["keyed_head"], [expected] * 4, atol=1e-4)
    for frame, shown in enumerate(facts["frames"]):
        assert_shapes(shown["shapes"], weights(frame))


def test_head_and_eyes_turn_as_the_persons(facts: dict[str, Any]) -> None:
    """What a bone or an object looks like at rest is turned as a whole, in Blender's frame: the eyes with the head."""
    for frame, shown in enumerate(facts["frames"]):
        head = Rotation.from_quat(quaternion(frame)).as_matrix()
        turns = {"head": head}
        for eye, (yaw, pitch) in zip(("eye_left", "eye_right"), eye_rotations(gaze(frame)), strict=True):
            turns[eye] = head @ Rotation.from_euler("YX", [yaw, pitch], degrees=True).as_matrix()
        for part, turn in turns.items():
            expected = BLENDER @ turn @ BLENDER.T @ facts["rest"]["parts"][part]
            np.testing.assert_allclose(shown["parts"][part], expected, atol=1e-4, err_msg=f"{part} at {frame}")


def test_an_object_without_bones_turns_from_where_it_lies(facts: dict[str, Any]) -> None:
    rest, z_up, y_up = (np.array(axes) for axes in facts["objects"])
    head = Rotation.from_quat(quaternion(len(TURNS) - 1)).as_matrix()
    np.testing.assert_allclose(z_up, BLENDER @ head @ BLENDER.T @ rest, atol=1e-4)
    np.testing.assert_allclose(y_up, head @ rest, atol=1e-4)


def test_csv_takes_are_keyed_beside_others_and_in_place_of_their_own(facts: dict[str, Any]) -> None:
    (frames,) = facts["keyed_with_csv"]
    np.testing.assert_allclose(frames[: len(TURNS)], facts["keyed"][0])
    expected = np.concatenate([start + np.arange(30) * SCENE_RATE / RATE for start in CSV_STARTS])
    np.testing.assert_allclose(frames[len(TURNS) :], expected, atol=1e-3)
    assert facts["csv"]["shapes"]["jawLeft"] == pytest.approx(0.29, abs=EXACT)


def test_a_stopped_session_ends_its_timer(facts: dict[str, Any]) -> None:
    assert facts["timer"]
