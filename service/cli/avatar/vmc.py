"""Virtual Motion Capture protocol: a face in OSC messages for avatar programs (VSeeFace, Warudo, VNyan and others).

A frame has the messages of the protocol's version 2.7: that the sender is there and tracks a face, its time, rotations
of neck and head and, where there is a gaze, of the eyes, the weights of blendshapes, and that the weights take effect
now. An avatar has either bones of the eyes or weights that move them, and uses what it has.

A bone is named as in Unity's HumanBodyBones and rotated in Unity's frame, relative to its parent. Its position, which
few programs use, is sent as 0: nobody here knows how long the avatar's neck is.
"""

from typing import Final

import numpy as np

from service.cli.avatar.axes import UNITY
from service.cli.avatar.mirror import mirror_blendshapes, mirror_gaze, mirror_quaternion
from service.cli.avatar.neck import neck_and_head
from service.cli.avatar.osc import bundles, message
from service.cli.avatar.vrm import PRESETS, presets
from service.vision.arkit import ARKIT_NAMES
from service.vision.arrays import Array
from service.vision.gaze import eye_rotations, has_gaze
from service.vision.rotation import euler_to_quaternion

PORT: Final = 39539  # of programs that draw an avatar; those that only relay to it (VMC itself) use 39540
PERFECT_SYNC: Final = tuple(name[0].upper() + name[1:] for name in ARKIT_NAMES)  # as avatar makers write the 52

LOADED: Final = 1
CALIBRATED: Final = 3
NORMAL_MODE: Final = 0
EYES: Final = ("LeftEye", "RightEye")


def packets(
    blendshapes: Array,
    gaze: Array,
    quaternion: Array,
    seconds: float,
    mirror: bool = False,
    vrm_presets: bool = False,
) -> list[bytes]:
    """The datagrams of one face, each a bundle of at most 1400 bytes, to be sent in this order.

    blendshapes: (52,) weights in the order of ARKIT_NAMES. gaze: (8,), a row of NaN says nothing of eyes. quaternion:
    (4,) head to camera. seconds: since the sender started. mirror: the avatar's left is the person's right, as in a
    mirror. vrm_presets: VRM's vowels and blinks in place of the 52. An avatar with both would blink twice.
    """
    if mirror:
        blendshapes, gaze = mirror_blendshapes(blendshapes), mirror_gaze(gaze)
        quaternion = mirror_quaternion(quaternion)
    names, weights = (PRESETS, presets(blendshapes)) if vrm_presets else (PERFECT_SYNC, blendshapes)
    messages = [
        *_state(seconds, tracked=True),
        *_head(quaternion),
        *_eyes(gaze),
        *(message("/VMC/Ext/Blend/Val", name, weight) for name, weight in zip(names, weights.tolist(), strict=True)),
        message("/VMC/Ext/Blend/Apply"),
    ]
    return bundles(messages)


def lost(seconds: float) -> list[bytes]:
    """The datagrams of a frame without a face: the sender is there, but tracks nothing."""
    return bundles(_state(seconds, tracked=False))


def _state(seconds: float, tracked: bool) -> list[bytes]:
    return [
        message("/VMC/Ext/OK", LOADED, CALIBRATED, NORMAL_MODE, int(tracked)),
        message("/VMC/Ext/T", float(seconds)),
    ]


def _head(quaternion: Array) -> list[bytes]:
    """Neck and head, which turn about the same axis: together they make the whole rotation (4,)."""
    neck, head = neck_and_head(quaternion)
    return [_bone("Neck", neck), _bone("Head", head)]


def _eyes(gaze: Array) -> list[bytes]:
    """Both eyes, relative to the head, by a gaze (8,); none without gaze."""
    if not has_gaze(gaze):
        return []
    yaw, pitch = eye_rotations(gaze).T
    rotations = euler_to_quaternion(yaw, pitch, np.zeros(len(EYES)))
    return [_bone(eye, rotation) for eye, rotation in zip(EYES, rotations, strict=True)]


def _bone(name: str, rotation: Array) -> bytes:
    """A bone's message. rotation: (4,) in the camera frame's axes, relative to the parent bone."""
    return message("/VMC/Ext/Bone/Pos", name, 0.0, 0.0, 0.0, *UNITY.rotation(rotation).tolist())
