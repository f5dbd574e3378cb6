"""Virtual Motion Capture protocol: a face in OSC messages for avatar programs (VSeeFace, Warudo, VMC and others).

A frame has the messages of the protocol's version 2.7: that the sender is there and tracks a face, its time, rotation
of the head and, where there is a gaze, of the eyes, the 52 weights of avatars made for "perfect sync", named as ARKit's
with a capital first letter, and that the weights take effect now. An avatar has either bones of the eyes or weights
that move them, and uses what it has.

An avatar is in Unity's frame: left-handed, x to its right, y up, z forward, metres. It faces its viewer as the person
faces the camera, so its forward is the camera frame's z and its right, as the subject's, is the camera frame's -x:
p' = M p, R' = M R M with M = diag(-1, 1, 1), a reflection, since one frame is left-handed and the other right-handed.
"""

from typing import Final

import numpy as np

from service.cli.avatar.mirror import mirror_blendshapes, mirror_gaze, mirror_quaternion
from service.cli.avatar.osc import bundles, message
from service.vision.arkit import ARKIT_NAMES
from service.vision.arrays import Array
from service.vision.gaze import eye_rotations, has_gaze
from service.vision.rotation import euler_to_quaternion

PORT: Final = 39539  # of programs that draw an avatar; those that only relay to it (VMC itself) use 39540
NAMES: Final = tuple(name[0].upper() + name[1:] for name in ARKIT_NAMES)

LOADED: Final = 1
CALIBRATED: Final = 3
NORMAL_MODE: Final = 0
CM_PER_METRE: Final = 100
EYES: Final = ("LeftEye", "RightEye")  # Unity's names of the bones


def unity_rotation(quaternion: Array, mirror: bool = False) -> Array:
    """Converts a head's rotation (4,), head to camera, to Unity's frame: (4,) [x, y, z, w].

    With `mirror` the two reflections cancel, so the quaternion is the same in both frames.
    """
    return quaternion if mirror else mirror_quaternion(quaternion)


def unity_position(offset: Array, mirror: bool = False) -> Array:
    """Converts an offset (3,) in cm in the camera frame to metres (3,) in Unity's frame."""
    return offset / CM_PER_METRE * np.array([1 if mirror else -1, 1, 1], offset.dtype)


def eye_bones(gaze: Array) -> list[bytes]:
    """Messages that rotate the bones of both eyes relative to the head, by a gaze (8,); none without gaze."""
    if not has_gaze(gaze):
        return []
    yaw, pitch = eye_rotations(gaze).T
    rotations = unity_rotation(euler_to_quaternion(yaw, pitch, np.zeros(len(EYES)))).tolist()
    return [
        message("/VMC/Ext/Bone/Pos", eye, 0.0, 0.0, 0.0, *rotation)
        for eye, rotation in zip(EYES, rotations, strict=True)
    ]


def packets(
    blendshapes: Array,
    gaze: Array,
    quaternion: Array,
    seconds: float,
    offset: Array | None = None,
    mirror: bool = False,
) -> list[bytes]:
    """The datagrams of one face, each a bundle of at most 1400 bytes, to be sent in this order.

    blendshapes: (52,) weights in the order of ARKIT_NAMES. gaze: (8,), see eye_bones. quaternion: (4,) head to camera.
    seconds: since the sender started. offset: (3,) cm in the camera frame, sent as the position of the head's bone
    relative to the neck's; 0 by default. Few programs use it, and those that do expect it to include the length of the
    avatar's neck. mirror: the avatar's left is the person's right, as in a mirror.
    """
    if mirror:
        blendshapes, gaze = mirror_blendshapes(blendshapes), mirror_gaze(gaze)
    position = unity_position(np.zeros(3) if offset is None else offset, mirror).tolist()
    rotation = unity_rotation(quaternion, mirror).tolist()
    messages = [
        *_state(seconds, tracked=True),
        message("/VMC/Ext/Bone/Pos", "Head", *position, *rotation),
        *eye_bones(gaze),
        *(
            message("/VMC/Ext/Blend/Val", name, weight)
            for name, weight in zip(NAMES, blendshapes.tolist(), strict=True)
        ),
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
