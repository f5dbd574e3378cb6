"""VMC datagrams, read by a public parser, and turns of the head as an avatar in Unity makes them."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cli.avatar.vmc import NAMES, lost, packets, unity_position, unity_rotation
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


def test_bytes_of_the_head() -> None:
    """A quarter turn toward the image's right, 10 cm off to it and 5 up, 20 nearer."""
    quaternion = euler_to_quaternion(90, 0, 0)
    half = 0.70710678
    expected = (
        b"/VMC/Ext/Bone/Pos\x00\x00\x00"
        + b",sfffffff\x00\x00\x00"
        + b"Head\x00\x00\x00\x00"
        + struct.pack(">7f", -0.1, 0.05, 0.2, 0, -half, 0, half)
    )
    [first, *_] = packets(WEIGHTS, UNSEEN, quaternion, 1.0, np.array([10.0, 5.0, 20.0]))
    at = first.index(b"/VMC/Ext/Bone/Pos")
    assert struct.unpack(">i", first[at - 4 : at]) == (len(expected),)
    numbers = len(expected) - 28
    assert first[at : at + numbers] == expected[:numbers]
    found = struct.unpack_from(">7f", first, at + numbers)
    np.testing.assert_allclose(found, struct.unpack(">7f", expected[numbers:]), atol=1e-7)


def test_messages_of_a_frame() -> None:
    messages = contents(packets(WEIGHTS, UNSEEN, UPRIGHT, 12.5))
    assert messages[0] == ("/VMC/Ext/OK", [1, 3, 0, 1])
    assert messages[1] == ("/VMC/Ext/T", [12.5])
    assert messages[2] == ("/VMC/Ext/Bone/Pos", ["Head", 0, 0, 0, 0, 0, 0, 1])
    assert messages[-1] == ("/VMC/Ext/Blend/Apply", [])
    assert [address for address, _ in messages[3:-1]] == ["/VMC/Ext/Blend/Val"] * 52
    weights = {name: value for _, (name, value) in messages[3:-1]}
    assert weights == {name[0].upper() + name[1:]: float(w) for name, w in zip(ARKIT_NAMES, WEIGHTS, strict=True)}
    assert "BrowDownLeft" in weights
    assert len(NAMES) == 52


def eyes_of(gaze: np.ndarray, mirror: bool = False) -> dict[str, np.ndarray]:
    """Where each eye's bone points, in Unity's frame of an avatar whose head is upright."""
    messages = contents(packets(WEIGHTS, gaze, UPRIGHT, 0.0, mirror=mirror))
    bones = [params for address, params in messages if address == "/VMC/Ext/Bone/Pos"]
    assert [name for name, *_ in bones] == ["Head", "LeftEye", "RightEye"]
    assert all(params[1:4] == [0, 0, 0] for params in bones)
    return {name: turned(np.array(turn[3:]), FORWARD) for name, *turn in bones[1:]}


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
    np.testing.assert_allclose(turned(unity_rotation(quaternion), part), expected, atol=1e-12)
    swap = np.array([-1, 1, 1])  # an avatar as in a mirror moves to the other side
    mirrored = turned(unity_rotation(quaternion, mirror=True), part * swap)
    np.testing.assert_allclose(mirrored, expected * swap, atol=1e-12)


@given(angles, angles, angles)
def test_turning_and_changing_frames_commute(yaw: float, pitch: float, roll: float) -> None:
    """A point turned in the camera frame, then brought to Unity's, is the point brought there, then turned."""
    quaternion, point = euler_to_quaternion(yaw, pitch, roll), np.array([3.0, -7.0, 11.0])
    there = unity_position(turned(quaternion, point))
    np.testing.assert_allclose(there, turned(unity_rotation(quaternion), unity_position(point)), atol=1e-12)
    assert np.linalg.norm(unity_rotation(quaternion)) == pytest.approx(1)


def test_offset_is_in_metres_of_the_avatars_frame() -> None:
    np.testing.assert_allclose(unity_position(np.array([10.0, 20.0, 30.0])), [-0.1, 0.2, 0.3])
    np.testing.assert_allclose(unity_position(np.array([10.0, 20.0, 30.0]), mirror=True), [0.1, 0.2, 0.3])


def test_mirror_changes_sides() -> None:
    weights = np.zeros(52, np.float32)
    weights[ARKIT_NAMES.index("eyeBlinkLeft")] = 1
    messages = contents(packets(weights, UNSEEN, euler_to_quaternion(20, 0, 0), 0.0, mirror=True))
    on = [name for address, (name, *rest) in messages[3:-1] if address == "/VMC/Ext/Blend/Val" and rest == [1]]
    assert on == ["EyeBlinkRight"]
    assert messages[2][1][5] > 0  # y of the quaternion: to the avatar's right
