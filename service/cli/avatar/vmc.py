"""Virtual Motion Capture protocol: a face in OSC messages for avatar programs (VSeeFace, Warudo, VMC and others).

Each frame is what a sender of the protocol's version 2.7 says: that it is there and sees a face, its time, the head's
turn and, where the gaze was seen, that of the eyes, the 52 weights that avatars made for "perfect sync" have, named as
ARKit's with a capital first letter, and that they take effect now. An avatar has either bones of the eyes or weights
that move them; each finds its own.

An avatar is in Unity's frame: left-handed, x to its right, y up, z forward, metres. It faces its viewer as the person
faces the camera, so its forward is the camera frame's z and its right, as the subject's, is the camera frame's -x:
p' = M p, R' = M R M with M = diag(-1, 1, 1), a mirror since one frame is left-handed and the other right-handed.
"""

from typing import Final

import numpy as np

from service.cli.avatar.mirror import mirror_blendshapes, mirror_gaze, mirror_quaternion
from service.cli.avatar.osc import bundles, message
from service.vision.arkit import ARKIT_NAMES
from service.vision.arrays import Array
from service.vision.gaze import eye_rotations, has_gaze
from service.vision.rotation import euler_to_quaternion

PORT: Final = 39539  # of a program that draws an avatar; one that only passes on to it (VMC itself) takes 39540
NAMES: Final = tuple(name[0].upper() + name[1:] for name in ARKIT_NAMES)

LOADED: Final = 1
CALIBRATED: Final = 3
NORMAL_MODE: Final = 0
CM_A_METRE: Final = 100
EYES: Final = ("LeftEye", "RightEye")  # Unity's names of the bones


def unity_rotation(quaternion: Array, mirror: bool = False) -> Array:
    """(4,) [x, y, z, w] in Unity's frame of a head's rotation (4,) into the camera frame.

    An avatar that moves as a mirror shows is the mirror of a mirror: its quaternion is the same in both frames.
    """
    return quaternion if mirror else mirror_quaternion(quaternion)


def unity_position(offset: Array, mirror: bool = False) -> Array:
    """(3,) metres in Unity's frame of an offset (3,) in cm in the camera frame."""
    return offset / CM_A_METRE * np.array([1 if mirror else -1, 1, 1], offset.dtype)


def eye_bones(gaze: Array) -> list[bytes]:
    """Messages that turn the bones of both eyes against the head's, of a gaze (8,); none where it was not seen."""
    if not has_gaze(gaze):
        return []
    yaw, pitch = eye_rotations(gaze).T
    turns = unity_rotation(euler_to_quaternion(yaw, pitch, np.zeros(len(EYES)))).tolist()
    return [message("/VMC/Ext/Bone/Pos", eye, 0.0, 0.0, 0.0, *turn) for eye, turn in zip(EYES, turns, strict=True)]


def packets(
    blendshapes: Array,
    gaze: Array,
    quaternion: Array,
    seconds: float,
    offset: Array | None = None,
    mirror: bool = False,
) -> list[bytes]:
    """One face as datagrams, each a bundle of at most 1400 bytes, to be sent in this order.

    blendshapes: (52,) weights in the order of ARKIT_NAMES. gaze: (8,), see eye_bones. quaternion: (4,) head to camera.
    seconds: since the sender began. offset: (3,) cm in the camera frame, sent as the place of the head's bone as seen
    from the neck's; none by default. Few programs heed it, and those that do need it to hold the length of the avatar's
    neck. mirror: the avatar's left is the person's right, as in a mirror.
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
    """Datagrams for a moment without a face: the sender is there, its tracking is not."""
    return bundles(_state(seconds, tracked=False))


def _state(seconds: float, tracked: bool) -> list[bytes]:
    return [
        message("/VMC/Ext/OK", LOADED, CALIBRATED, NORMAL_MODE, int(tracked)),
        message("/VMC/Ext/T", float(seconds)),
    ]
