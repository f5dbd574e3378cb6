"""VMC datagrams, read by a public parser, and turns of the head as an avatar in Unity makes them."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from service.cli.avatar.neck import NECK_SHARE
from service.cli.avatar.vmc import lost, packets
from service.cli.avatar.vrm import PRESETS, presets
from service.vision.arkit import ARKIT_NAMES
from service.vision.gaze import GAZE_NAMES, no_gaze
from service.vision.rotation import euler_to_quaternion, quaternion_to_matrix

UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])
UNSEEN = no_gaze(1)[0]
WEIGHTS = np.linspace(0, 1, 52).astype(np.float32)
RIGHT, UP, FORWARD = np.eye(3)  # of an avatar in Unity
angles = st.floats(-89, 89)


def contents(datagrams: list[bytes]) -> list[tuple[str, list[Any]]]:
    """Addresses and arguments of all messages, read by python-osc."""
    osc_bundle = pytest.importorskip("pythonosc.osc_bundle")
    return [(each.address, each.params) for packet in datagrams for each in osc_bundle.OscBundle(packet)]


def turned(quaternion: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """The formula holds in either frame; Unity's is left-handed, and so is the turn there."""
    result: np.ndarray = quaternion_to_matrix(quaternion) @ vector
    return result


def bones_of(datagrams: list[bytes]) -> dict[str, np.ndarray]:
    """Each bone's rotation, relative to its parent."""
    bones = [params for address, params in contents(datagrams) if address == "/VMC/Ext/Bone/Pos"]
    assert all(params[1:4] == [0, 0, 0] for params in bones)
    return {name: np.array(rotation) for name, _, _, _, *rotation in bones}


def head_of(quaternion: np.ndarray, mirror: bool = False) -> np.ndarray:
    """Rotation matrix of the avatar's head, on its neck."""
    bones = bones_of(packets(WEIGHTS, UNSEEN, quaternion, 0.0, mirror))
    return quaternion_to_matrix(bones["Neck"]) @ quaternion_to_matrix(bones["Head"])


def test_bytes_of_a_bone() -> None:
    """A turn by 90 degrees toward the image's right, of which the neck takes 36."""
    expected = (
        b"/VMC/Ext/Bone/Pos\x00\x00\x00"
        + b",sfffffff\x00\x00\x00"
        + b"Neck\x00\x00\x00\x00"
        + struct.pack(">7f", 0, 0, 0, 0, -np.sin(np.radians(18)), 0, np.cos(np.radians(18)))
    )
    [first, *_] = packets(WEIGHTS, UNSEEN, euler_to_quaternion(90, 0, 0), 1.0)
    at = first.index(b"/VMC/Ext/Bone/Pos")
    assert struct.unpack(">i", first[at - 4 : at]) == (len(expected),)
    numbers = len(expected) - 28
    assert first[at : at + numbers] == expected[:numbers]
    found = struct.unpack_from(">7f", first, at + numbers)
    np.testing.assert_allclose(found, struct.unpack(">7f", expected[numbers:]), atol=1e-7)


def test_messages_of_a_frame() -> None:
    """Addresses, types and order of the protocol's specification, version 2.7: its part for who draws the avatar."""
    messages = contents(packets(WEIGHTS, UNSEEN, UPRIGHT, 12.5))
    assert messages[0] == ("/VMC/Ext/OK", [1, 3, 0, 1])
    assert messages[1] == ("/VMC/Ext/T", [12.5])
    assert messages[2] == ("/VMC/Ext/Bone/Pos", ["Neck", 0, 0, 0, 0, 0, 0, 1])
    assert messages[3] == ("/VMC/Ext/Bone/Pos", ["Head", 0, 0, 0, 0, 0, 0, 1])
    assert messages[-1] == ("/VMC/Ext/Blend/Apply", [])
    assert [address for address, _ in messages[4:-1]] == ["/VMC/Ext/Blend/Val"] * 52
    weights = {name: value for _, (name, value) in messages[4:-1]}
    assert weights == {name[0].upper() + name[1:]: float(w) for name, w in zip(ARKIT_NAMES, WEIGHTS, strict=True)}
    assert "BrowDownLeft" in weights


@pytest.mark.parametrize("gaze", [UNSEEN, np.zeros(8, np.float32)])
def test_types_are_the_specifications(gaze: np.ndarray) -> None:
    osc_bundle = pytest.importorskip("pythonosc.osc_bundle")
    types = {
        "/VMC/Ext/OK": [int] * 4,
        "/VMC/Ext/T": [float],
        "/VMC/Ext/Bone/Pos": [str] + [float] * 7,
        "/VMC/Ext/Blend/Val": [str, float],
        "/VMC/Ext/Blend/Apply": [],
    }
    for datagram in packets(WEIGHTS, gaze, UPRIGHT, 0.0):
        for each in osc_bundle.OscBundle(datagram):
            assert [type(value) for value in each.params] == types[each.address]


def test_vrms_presets_take_the_place_of_the_52() -> None:
    messages = contents(packets(WEIGHTS, UNSEEN, UPRIGHT, 0.0, vrm_presets=True))
    weights = [params for address, params in messages if address == "/VMC/Ext/Blend/Val"]
    assert [name for name, _ in weights] == list(PRESETS)
    np.testing.assert_allclose([weight for _, weight in weights], presets(WEIGHTS), rtol=1e-6)


def eyes_of(gaze: np.ndarray, mirror: bool = False) -> dict[str, np.ndarray]:
    """Where each eye's bone points, in Unity's frame of an avatar whose head is upright."""
    bones = bones_of(packets(WEIGHTS, gaze, UPRIGHT, 0.0, mirror=mirror))
    assert list(bones) == ["Neck", "Head", "LeftEye", "RightEye"]
    return {eye: turned(bones[eye], FORWARD) for eye in ("LeftEye", "RightEye")}


def direction(right: float, down: float) -> np.ndarray:
    """In Unity's frame, of degrees to the avatar's right, then down."""
    right, down = np.radians([right, down])
    return np.array([np.sin(right) * np.cos(down), -np.sin(down), np.cos(right) * np.cos(down)])


@pytest.mark.parametrize(
    ("looks", "mirror", "left", "right"),
    [
        ({}, False, (0, 0), (0, 0)),
        ({"OutLeft": 1, "InRight": 1}, False, (-39, 0), (-21.5, 0)),  # to the own left, as the avatar
        ({"OutLeft": 1, "InRight": 1}, True, (21.5, 0), (39, 0)),
        ({"DownLeft": 1}, False, (0, 35), (0, 0)),
        ({"DownLeft": 1}, True, (0, 0), (0, 35)),
        ({"UpLeft": 0.5, "OutLeft": 0.5, "UpRight": 1}, False, (-19.5, -13.55), (0, -27.1)),
    ],
)
def test_eyes_point_where_they_look(
    looks: dict[str, float], mirror: bool, left: tuple[float, float], right: tuple[float, float]
) -> None:
    gaze = np.zeros(8, np.float32)
    for name, weight in looks.items():
        gaze[GAZE_NAMES.index(f"eyeLook{name}")] = weight
    eyes = eyes_of(gaze, mirror)
    np.testing.assert_allclose(eyes["LeftEye"], direction(*left), atol=1e-5)
    np.testing.assert_allclose(eyes["RightEye"], direction(*right), atol=1e-5)


def test_datagrams_take_effect_on_arrival_and_fit() -> None:
    datagrams = packets(WEIGHTS, UNSEEN, UPRIGHT, 0.0)
    assert len(datagrams) == 2
    for packet in datagrams:
        assert packet[:16] == b"#bundle\x00" + bytes(7) + b"\x01"
        assert len(packet) <= 1400


def test_with_eyes_they_fit_too() -> None:
    datagrams = packets(WEIGHTS, np.zeros(8, np.float32), UPRIGHT, 0.0)
    assert max(map(len, datagrams)) <= 1400
    assert contents(datagrams)[-1] == ("/VMC/Ext/Blend/Apply", [])


def test_without_a_face() -> None:
    assert contents(lost(3.0)) == [("/VMC/Ext/OK", [1, 3, 0, 0]), ("/VMC/Ext/T", [3.0])]


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll", "part", "expected"),
    [
        (90, 0, 0, FORWARD, -RIGHT),  # toward the image's right: the person's left, and the avatar's
        (0, 90, 0, FORWARD, -UP),  # down
        (0, 0, 90, UP, RIGHT),  # counter-clockwise as seen: the crown goes to the person's right, and the avatar's
        (0, 0, 90, RIGHT, -UP),
    ],
)
def test_named_turns(yaw: float, pitch: float, roll: float, part: np.ndarray, expected: np.ndarray) -> None:
    quaternion = euler_to_quaternion(yaw, pitch, roll)
    np.testing.assert_allclose(head_of(quaternion) @ part, expected, atol=1e-6)
    swap = np.array([-1, 1, 1])  # an avatar as in a mirror moves to the other side
    np.testing.assert_allclose(head_of(quaternion, mirror=True) @ (part * swap), expected * swap, atol=1e-6)


@given(angles, angles, angles)
def test_neck_and_head_share_one_turn(yaw: float, pitch: float, roll: float) -> None:
    """About one axis, so that the head goes nowhere on its way that it would not go alone."""
    bones = bones_of(packets(WEIGHTS, UNSEEN, euler_to_quaternion(yaw, pitch, roll), 0.0))
    neck, head = (Rotation.from_quat(bones[name]).as_rotvec() for name in ("Neck", "Head"))
    np.testing.assert_allclose(neck * (1 - NECK_SHARE), head * NECK_SHARE, atol=1e-6)
    x, y, z = Rotation.from_euler("xyz", [pitch, yaw, roll], degrees=True).as_rotvec()
    np.testing.assert_allclose(neck + head, (x, -y, -z), atol=1e-6)


def test_mirror_changes_sides() -> None:
    weights = np.zeros(52, np.float32)
    weights[ARKIT_NAMES.index("eyeBlinkLeft")] = 1
    messages = contents(packets(weights, UNSEEN, euler_to_quaternion(20, 0, 0), 0.0, mirror=True))
    on = [name for address, (name, *rest) in messages[4:-1] if address == "/VMC/Ext/Blend/Val" and rest == [1]]
    assert on == ["EyeBlinkRight"]
    assert messages[3][1][5] > 0  # y of the quaternion: to the avatar's right
