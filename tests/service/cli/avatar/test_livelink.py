"""Live Link Face packets against their layout byte by byte, head angles against scipy's, eyes by hand."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from service.cli.avatar.livelink import HEAD_AND_EYES, SHAPES, FrameTime, device_id, head_angles, packet
from service.cli.avatar.mirror import mirror_blendshapes, mirror_gaze, mirror_quaternion
from service.vision.arkit import ARKIT_NAMES
from service.vision.gaze import GAZE_NAMES, no_gaze
from service.vision.rotation import euler_to_quaternion

UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])
UNSEEN = no_gaze(1)[0]
TIME = FrameTime(740740, 0.5, 60, 1)
# Places among the 61 values, from Unreal's enumeration EARFaceBlendShape.
PLACES = {
    "eyeBlinkLeft": 0,
    "eyeWideLeft": 6,
    "eyeBlinkRight": 7,
    "jawForward": 14,
    "jawLeft": 15,
    "jawRight": 16,
    "jawOpen": 17,
    "mouthClose": 18,
    "mouthLeft": 21,
    "mouthRight": 22,
    "mouthSmileLeft": 23,
    "mouthUpperUpRight": 40,
    "browDownLeft": 41,
    "browInnerUp": 43,
    "cheekPuff": 46,
    "noseSneerRight": 50,
    "tongueOut": 51,
}
PLACES_OF_LOOKS = {
    "eyeLookDownLeft": 1,
    "eyeLookInLeft": 2,
    "eyeLookOutLeft": 3,
    "eyeLookUpLeft": 4,
    "eyeLookDownRight": 8,
    "eyeLookInRight": 9,
    "eyeLookOutRight": 10,
    "eyeLookUpRight": 11,
}


def values(data: bytes) -> np.ndarray:
    """The 61 values at the end of a packet."""
    return np.frombuffer(data[-61 * 4 :], ">f4")


def one(name: str) -> np.ndarray:
    weights = np.zeros(52, np.float32)
    weights[ARKIT_NAMES.index(name)] = 1
    return weights


def test_every_byte() -> None:
    weights = np.zeros(52, np.float32)
    weights[ARKIT_NAMES.index("eyeBlinkLeft")] = 1
    weights[ARKIT_NAMES.index("tongueOut")] = 0.5
    device = device_id("Anna").encode()
    expected = (
        b"\x06"
        + b"\x00\x00\x00\x24"  # 36
        + device
        + b"\x00\x00\x00\x04"
        + b"Anna"
        + b"\x00\x0b\x4d\x84"  # 740740
        + b"\x3f\x00\x00\x00"  # 0.5
        + b"\x00\x00\x00\x3c"  # 60
        + b"\x00\x00\x00\x01"
        + b"\x3d"  # 61
        + b"\x3f\x80\x00\x00"  # 1.0
        + bytes(50 * 4)
        + b"\x3f\x00\x00\x00"  # 0.5
        + bytes(9 * 4)
    )
    assert packet(weights, UNSEEN, UPRIGHT, "Anna", TIME) == expected
    assert len(expected) == 306 + len("Anna")


def test_names_are_arkits_each_once() -> None:
    assert len(SHAPES) == 52
    assert len(HEAD_AND_EYES) == 9
    assert {name[0].lower() + name[1:] for name in SHAPES} == set(ARKIT_NAMES)


@pytest.mark.parametrize(("name", "place"), PLACES.items())
def test_places(name: str, place: int) -> None:
    expected = np.zeros(61)
    expected[place] = 1
    np.testing.assert_array_equal(values(packet(one(name), UNSEEN, UPRIGHT, "a", TIME)), expected)


# Of one turn at a time the signs are service.vision.rotation's, but for pitch, which is positive upward here.
@pytest.mark.parametrize(
    ("yaw", "pitch", "roll", "expected"),
    [
        (0, 0, 0, (0, 0, 0)),
        (30, 0, 0, (np.pi / 6, 0, 0)),
        (0, 30, 0, (0, -np.pi / 6, 0)),
        (0, 0, 30, (0, 0, np.pi / 6)),
        (-90, 0, 0, (-np.pi / 2, 0, 0)),
    ],
)
def test_angles_of_named_turns(yaw: float, pitch: float, roll: float, expected: tuple[float, float, float]) -> None:
    quaternion = euler_to_quaternion(yaw, pitch, roll)
    np.testing.assert_allclose(head_angles(quaternion), expected, atol=1e-7)
    np.testing.assert_allclose(
        values(packet(one("jawOpen"), UNSEEN, quaternion, "a", TIME))[52:55], expected, atol=1e-7
    )


@given(st.floats(-3, 3), st.floats(-1.5, 1.5), st.floats(-3, 3))
def test_angles_compose_roll_first(yaw: float, pitch: float, roll: float) -> None:
    """R = Ry(yaw) Rx(-pitch) Rz(roll): intrinsic turns about y, x and z."""
    quaternion = Rotation.from_euler("YXZ", [yaw, -pitch, roll]).as_quat()
    np.testing.assert_allclose(head_angles(quaternion), (yaw, pitch, roll), atol=1e-6)


@pytest.mark.parametrize("pitch", [90, -90])
def test_a_nose_straight_up_or_down_has_an_angle_too(pitch: float) -> None:
    angles = head_angles(euler_to_quaternion(0, pitch, 0).astype(np.float32))
    assert np.isfinite(angles).all()
    assert angles[1] == pytest.approx(np.radians(-pitch), abs=1e-3)


# Degrees of LeftEyeYaw, LeftEyePitch, LeftEyeRoll, RightEyeYaw, ...: the left yaw is negative outward, the right one
# positive, pitch positive down, as the app records them.
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("eyeLookOutLeft", (-39, 0, 0, 0, 0, 0)),
        ("eyeLookInLeft", (21.5, 0, 0, 0, 0, 0)),
        ("eyeLookOutRight", (0, 0, 0, 39, 0, 0)),
        ("eyeLookInRight", (0, 0, 0, -21.5, 0, 0)),
        ("eyeLookDownLeft", (0, 35, 0, 0, 0, 0)),
        ("eyeLookUpRight", (0, 0, 0, 0, -27.1, 0)),
    ],
)
def test_eyes_of_named_looks(name: str, expected: tuple[float, ...]) -> None:
    gaze = np.zeros(8, np.float32)
    gaze[GAZE_NAMES.index(name)] = 1
    data = packet(one(name), gaze, UPRIGHT, "a", TIME)
    np.testing.assert_allclose(np.degrees(values(data)[55:]), expected, atol=1e-4)
    assert values(data)[PLACES_OF_LOOKS[name]] == 1


def test_lowered_lids_do_not_turn_eyes_that_were_not_seen() -> None:
    data = packet(one("eyeLookDownLeft"), UNSEEN, UPRIGHT, "a", TIME)
    assert values(data)[PLACES_OF_LOOKS["eyeLookDownLeft"]] == 1
    assert not values(data)[52:].any()


def test_mirror_swaps_the_eyes() -> None:
    """Who looks to the own left, up with the left eye only, has an avatar that looks to its right."""
    gaze = np.zeros(8, np.float32)
    for name, weight in (("eyeLookOutLeft", 1), ("eyeLookInRight", 1), ("eyeLookUpLeft", 0.5)):
        gaze[GAZE_NAMES.index(name)] = weight
    weights = np.zeros(52, np.float32)
    plain = np.degrees(values(packet(weights, gaze, UPRIGHT, "a", TIME))[55:])
    mirrored = np.degrees(values(packet(weights, gaze, UPRIGHT, "a", TIME, mirror=True))[55:])
    np.testing.assert_allclose(plain, (-39, -13.55, 0, -21.5, 0, 0), atol=1e-4)
    np.testing.assert_allclose(mirrored, (21.5, 0, 0, 39, -13.55, 0), atol=1e-4)


def test_mirror_is_the_mirrored_face() -> None:
    random = np.random.default_rng(0)
    weights, gaze = random.random(52).astype(np.float32), random.random(8).astype(np.float32)
    quaternion = euler_to_quaternion(20, 10, 5)
    mirrored = packet(weights, gaze, quaternion, "a", TIME, mirror=True)
    parts = mirror_blendshapes(weights), mirror_gaze(gaze), mirror_quaternion(quaternion)
    assert mirrored == packet(*parts, "a", TIME)
    plain = values(packet(weights, gaze, quaternion, "a", TIME))
    np.testing.assert_allclose(values(mirrored)[52:55], plain[52:55] * [-1, 1, -1], rtol=1e-6)
    assert values(mirrored)[PLACES["eyeBlinkRight"]] == plain[PLACES["eyeBlinkLeft"]]


@pytest.mark.parametrize(
    ("seconds", "rate", "expected"),
    [
        (0.0, (60, 1), (0, 0.0)),
        (1.5, (60, 1), (90, 0.0)),
        (0.0125, (60, 1), (0, 0.75)),
        (3600.0, (30000, 1001), (107892, 0.107892)),  # 29.97 frames a second: 108 fewer in an hour than 30 make
        (86400.0 + 2, (30, 1), (60, 0.0)),  # the next day
    ],
)
def test_frame_time(seconds: float, rate: tuple[int, int], expected: tuple[int, float]) -> None:
    time = FrameTime.at(seconds, *rate)
    assert time.number == expected[0]
    assert time.sub_frame == pytest.approx(expected[1], abs=1e-5)
    assert (time.numerator, time.denominator) == rate


@given(st.floats(-1e12, 1e12))
def test_any_time_fits_the_packet(seconds: float) -> None:
    data = packet(np.zeros(52, np.float32), UNSEEN, UPRIGHT, "a", FrameTime.at(seconds))
    number, sub_frame = struct.unpack_from(">if", data, 1 + 4 + 36 + 4 + 1)
    assert 0 <= number < 86400 * 60 + 1
    assert 0 <= sub_frame < 1


def test_each_subject_has_a_device_of_its_own_that_stays() -> None:
    assert device_id("Face 1") == device_id("Face 1")
    assert device_id("Face 1") != device_id("Face 2")
    assert len(device_id("Face 1")) == 36


def test_subject_is_utf8_and_not_too_long() -> None:
    data = packet(one("jawOpen"), UNSEEN, UPRIGHT, "Zoë", TIME)
    assert data[41:49] == b"\x00\x00\x00\x04Zo\xc3\xab"
    assert len(packet(one("jawOpen"), UNSEEN, UPRIGHT, "n" * 256, TIME)) == 306 + 256
    for name in ("", "n" * 257):
        with pytest.raises(ValueError, match="1 to 256"):
            packet(one("jawOpen"), UNSEEN, UPRIGHT, name, TIME)
