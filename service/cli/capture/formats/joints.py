"""How a take turns a character's neck, head and eyes.

Every rotation is relative to the joint's parent, in axes that are the camera frame's to a camera before the character:
x to its left (the image's right), y up, z to its front. Where nothing of a character is turned at rest, they are the
rotations of its joints.
"""

from typing import Final

import numpy as np

from service.cli.avatar.neck import neck_and_head
from service.cli.capture.take import ALL, Take
from service.vision.arkit import GAZE
from service.vision.arrays import Array
from service.vision.gaze import eye_rotations
from service.vision.rotation import euler_to_quaternion

JOINTS: Final = ("neck", "head", "eye_left", "eye_right")
# Cosine of half a turn. A take's rotations, neighbours in the same half of the sphere, count on past 180 degrees, where
# the neck of someone in a film that is upside down would turn about from frame to frame; from 240 they are the other
# way round.
FARTHEST: Final = -0.5


def rotations(take: Take, frames: slice = ALL) -> dict[str, Array]:
    """Rotations (n, 4) x, y, z, w of JOINTS in some frames, float64.

    Neck and head share the head's rotation. Eyes look where eyeLook* of the blendshapes say.
    """
    whole = take.held(take.quaternion, frames)
    neck, head = neck_and_head(np.where(whole[:, 3:] < FARTHEST, -whole, whole))
    eyes = eye_rotations(take.held(take.blendshapes, frames)[:, GAZE])
    left, right = (euler_to_quaternion(yaw=eyes[:, eye, 0], pitch=eyes[:, eye, 1], roll=0) for eye in (0, 1))
    return dict(zip(JOINTS, (neck, head, left, right), strict=True))
