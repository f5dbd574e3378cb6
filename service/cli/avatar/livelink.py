"""Live Link Face: the datagram in which Epic's phone app sends a face to Unreal Engine; many other programs read it.

Big-endian, packet version 6:

    uint8     6
    string    device id, a UUID of 36 characters; a string is its length in bytes, int32, and UTF-8 without terminator
    string    subject name, as Unreal lists it
    int32     frame number: the time of the frame, as time code
    float32   sub-frame
    int32     numerator of the frame rate, frames a second
    int32     denominator of the frame rate
    uint8     61
    float32   61 values: ARKit's 52 weights in the order of SHAPES, then HEAD_AND_EYES in radians

Layout and order are those of Unreal's receiver (AppleARKitFaceSupport, its enumeration EARFaceBlendShape). Units and
signs of the head are undocumented; these are what receivers of the app agree on. Those of the eyes are the app's own,
in its recordings: yaw > 0 to the subject's right, unlike the head's, and pitch > 0 down.
"""

import struct
import uuid
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from service.cli.avatar.mirror import mirror_blendshapes, mirror_gaze, mirror_quaternion
from service.vision.arkit import ARKIT_NAMES
from service.vision.arrays import Array
from service.vision.gaze import eye_rotations, has_gaze
from service.vision.rotation import quaternion_to_matrix

PORT: Final = 11111
PACKET_VERSION: Final = 6
SUBJECT_BYTES: Final = 256  # size of Unreal's buffer for the subject's name

# Unreal's order. The app's own recordings have Right before Left for the jaw and the mouth; on the wire it is this.
SHAPES: Final = (
    "EyeBlinkLeft", "EyeLookDownLeft", "EyeLookInLeft", "EyeLookOutLeft", "EyeLookUpLeft", "EyeSquintLeft",
    "EyeWideLeft",
    "EyeBlinkRight", "EyeLookDownRight", "EyeLookInRight", "EyeLookOutRight", "EyeLookUpRight", "EyeSquintRight",
    "EyeWideRight",
    "JawForward", "JawLeft", "JawRight", "JawOpen",
    "MouthClose", "MouthFunnel", "MouthPucker", "MouthLeft", "MouthRight", "MouthSmileLeft", "MouthSmileRight",
    "MouthFrownLeft", "MouthFrownRight", "MouthDimpleLeft", "MouthDimpleRight", "MouthStretchLeft",
    "MouthStretchRight", "MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper",
    "MouthPressLeft", "MouthPressRight", "MouthLowerDownLeft", "MouthLowerDownRight", "MouthUpperUpLeft",
    "MouthUpperUpRight",
    "BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight",
    "CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight", "TongueOut",
)  # fmt: skip
HEAD_AND_EYES: Final = (
    "HeadYaw", "HeadPitch", "HeadRoll",
    "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll",
)  # fmt: skip

# (52,) indices of SHAPES among ARKIT_NAMES.
FROM_ARKIT: Final = np.array([ARKIT_NAMES.index(name[0].lower() + name[1:]) for name in SHAPES])

SECONDS_A_DAY: Final = 86400
LAST_SUB_FRAME: Final = 1 - 2**-24  # the largest float32 below 1


@dataclass(frozen=True)
class FrameTime:
    """A frame's time as time code.

    number: frames since midnight. sub_frame: the fraction of a frame beyond, in [0, 1). numerator, denominator: the
    rate in frames per second, as in 60 / 1 or 30000 / 1001.
    """

    number: int
    sub_frame: float
    numerator: int
    denominator: int

    @classmethod
    def at(cls, seconds: float, numerator: int = 60, denominator: int = 1) -> Self:
        """The frame at a time in seconds of any clock; time code starts again each day."""
        number, sub_frame = divmod(seconds % SECONDS_A_DAY * numerator / denominator, 1)
        return cls(int(number), min(sub_frame, LAST_SUB_FRAME), numerator, denominator)


def device_id(subject: str) -> str:
    """The UUID of the device that a subject is sent as.

    Unreal takes two subjects of one device for a subject that has changed its name, and drops the earlier one. So of
    several faces each needs its own device.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:mfn:{subject}")).upper()


def head_angles(quaternion: Array) -> Array:
    """HeadYaw, HeadPitch and HeadRoll (..., 3) in radians, float64, of heads' rotations (..., 4), head to camera.

    Yaw and pitch are the direction of the nose: yaw > 0 to the image's right (the subject's left), pitch > 0 up. Roll
    is about the nose, > 0 counter-clockwise as seen. They compose as in Unreal's rotator, roll first:
    R = Ry(yaw) Rx(-pitch) Rz(roll), another order than service.vision.rotation's.
    """
    m = quaternion_to_matrix(quaternion.astype(np.float64))
    x, y, z = np.moveaxis(m[..., 2], -1, 0)  # of the nose's direction
    return np.stack([np.arctan2(x, z), np.arcsin(np.clip(y, -1, 1)), np.arctan2(m[..., 1, 0], m[..., 1, 1])], axis=-1)


def eye_angles(gaze: Array) -> Array:
    """LeftEyeYaw to RightEyeRoll (..., 6) in radians of gazes (..., 8): 0 for a face without gaze. Eyes do not roll."""
    yaw, pitch = np.moveaxis(np.radians(eye_rotations(gaze)), -1, 0)  # of the left and the right eye
    angles = np.stack([-yaw, pitch, np.zeros_like(yaw)], axis=-1).reshape(*gaze.shape[:-1], 6)
    return np.where(has_gaze(gaze)[..., None], angles, 0)


def packet(
    blendshapes: Array, gaze: Array, quaternion: Array, subject: str, time: FrameTime, mirror: bool = False
) -> bytes:
    """The datagram of one face.

    blendshapes: (52,) weights in the order of ARKIT_NAMES. gaze: (8,), see eye_angles. quaternion: (4,) head to camera.
    subject: the name that Unreal shows, 1 to 256 bytes of UTF-8. mirror: the avatar's left is the person's right, as in
    a mirror.
    Raises ValueError for a subject of another length.
    """
    name = subject.encode()
    if not 1 <= len(name) <= SUBJECT_BYTES:
        raise ValueError(f"the subject's name takes {len(name)} bytes; expected 1 to {SUBJECT_BYTES}")
    if mirror:
        blendshapes, gaze = mirror_blendshapes(blendshapes), mirror_gaze(gaze)
        quaternion = mirror_quaternion(quaternion)
    values = np.concatenate([blendshapes[FROM_ARKIT], head_angles(quaternion), eye_angles(gaze)]).tolist()
    return b"".join(
        (
            struct.pack(">B", PACKET_VERSION),
            _string(device_id(subject).encode()),
            _string(name),
            struct.pack(">ifii", time.number, time.sub_frame, time.numerator, time.denominator),
            struct.pack(f">B{len(values)}f", len(values), *values),
        )
    )


def _string(text: bytes) -> bytes:
    return struct.pack(">i", len(text)) + text
