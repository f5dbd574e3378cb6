"""Ours beside a packet of Live Link Face itself, as an iPhone sent it.

The packet is in the tests of makehuman.js (GitHub, markandre13): 312 bytes. It is rebuilt here, from the layout that
they document. Numbers are those of the recording, to three places; the device is another, and of the 52 there are those
that the eyes follow from, and some more.
"""

import struct
import uuid
from typing import Final

import numpy as np
import pytest

from service.cli.avatar.livelink import HEAD_AND_EYES, SHAPES, FrameTime, device_id, eye_angles, packet
from service.vision.arkit import ARKIT_NAMES
from service.vision.gaze import GAZE_NAMES, no_gaze
from service.vision.rotation import euler_to_quaternion

# A version, two texts after their lengths, frame, sub-frame, rate, and the values after their number: no padding.
LAYOUT: Final = ">B i36s i6s i f ii B 61f"
RECORDED: Final = {
    2: 0.394, 4: 0.421, 5: 0.354, 10: 0.296, 11: 0.426,  # left eye in and up, squint; right eye out and up
    17: 0.047, 18: 0.049, 41: 0.270, 42: 0.270, 43: 0.109, 46: 0.026,  # jaw open, mouth closed, brows, cheeks puffed
    52: -0.045, 53: 0.221, 54: 0.081,  # the head's yaw, pitch, roll
    55: 0.178, 56: -0.189, 57: -0.034, 58: 0.237, 59: -0.189, 60: -0.045,  # yaw, pitch, roll of the left and right eye
}  # fmt: skip
DEVICE: Final = device_id("iPhone").encode()


def recorded() -> bytes:
    values = [RECORDED.get(place, 0.0) for place in range(61)]
    return struct.pack(LAYOUT, 6, 36, DEVICE, 6, b"iPhone", 671705, 0.52738190, 60, 1, 61, *values)


def weight(name: str) -> float:
    return RECORDED.get(SHAPES.index(name[0].upper() + name[1:]), 0.0)


def test_the_apps_packet_has_our_layout() -> None:
    """Byte by byte, up to the angles: they follow from a head that is not recorded."""
    gaze = np.array([weight(name) for name in GAZE_NAMES], np.float32)
    weights = np.array([weight(name) for name in ARKIT_NAMES], np.float32)
    time = FrameTime(671705, 0.52738190, 60, 1)
    ours = packet(weights, gaze, np.array([0.0, 0.0, 0.0, 1.0]), "iPhone", time)
    assert len(ours) == len(recorded()) == 312
    assert ours[: -9 * 4] == recorded()[: -9 * 4]
    assert str(uuid.UUID(DEVICE.decode())).upper() == DEVICE.decode()  # as the app writes it


def test_a_public_parser_reads_ours() -> None:
    """PyLiveLinkFace, by name. To run this: pip install pylivelinkface==0.1"""
    public = pytest.importorskip("pylivelinkface", reason="needs PyPI's pylivelinkface 0.1")
    weights = np.arange(52, dtype=np.float32) / 64
    data = packet(weights, no_gaze(1)[0], euler_to_quaternion(30, 0, 0), "mfn-3", FrameTime(1, 0.0, 30, 1))
    valid, face = public.PyLiveLinkFace.decode(data)
    assert (valid, face.name, face.fps) == (True, "mfn-3", 30)
    for name, value in zip(ARKIT_NAMES, weights.tolist(), strict=True):
        assert face.get_blendshape(public.FaceBlendShape[name[0].upper() + name[1:]]) == value
    assert face.get_blendshape(public.FaceBlendShape.HeadYaw) == np.float32(np.pi / 6)


def test_the_apps_eyes_turn_as_ours_do() -> None:
    """From its own coefficients, within 3 degrees, and to the same sides. Its eyes roll by as much, ours do not."""
    gaze = np.array([weight(name) for name in GAZE_NAMES], np.float32)
    app = np.degrees([RECORDED[len(SHAPES) + place] for place in range(len(HEAD_AND_EYES))])[3:]
    np.testing.assert_allclose(np.degrees(eye_angles(gaze)), app, atol=3)
