"""A head that nods, turns and tilts to known sides does so in each engine.

What an engine does with a rotation is written down here anew, from the engine's own definition: which way its axes
point for a character, and which way a positive angle turns about them. Left-handed, that is by the left hand.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from service.cli.avatar.axes import BLENDER, FRAMES, UNITY, UNREAL, Frame
from service.cli.avatar.livelink import head_angles
from service.vision.rotation import euler_to_quaternion, quaternion_to_matrix

# Yaw, pitch and roll in degrees, (20, 3).
TURNS: Final = np.random.default_rng(0).uniform(-89, 89, (20, 3))
GODOT, THREE, GLTF, VMC = (
    next(frame for frame in FRAMES if frame.name == name) for name in ("Godot", "three.js", "glTF", "VMC")
)


@dataclass(frozen=True)
class Character:
    """Where a character's right ear, crown and nose point at rest, in its engine."""

    right: tuple[int, int, int]
    crown: tuple[int, int, int]
    nose: tuple[int, int, int]


CHARACTERS: Final = {
    # Unity: x right, y up, z forward, as Transform.right, up and forward.
    UNITY: Character((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    VMC: Character((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    # Unreal: x forward, y right, z up, as FVector::ForwardVector, RightVector and UpVector.
    UNREAL: Character((0, 1, 0), (0, 0, 1), (1, 0, 0)),
    # Godot: y up, a model's front is +z, as Vector3.MODEL_FRONT, and its right -x, as Vector3.MODEL_RIGHT.
    GODOT: Character((-1, 0, 0), (0, 1, 0), (0, 0, 1)),
    # three.js and glTF: y up, "the front of a glTF asset faces +Z", "-X right".
    THREE: Character((-1, 0, 0), (0, 1, 0), (0, 0, 1)),
    GLTF: Character((-1, 0, 0), (0, 1, 0), (0, 0, 1)),
    # Blender: z up, a character looks along -y, into the front view, where +x is to the viewer's right.
    BLENDER: Character((-1, 0, 0), (0, 0, 1), (0, -1, 0)),
}


def rotated(quaternion: np.ndarray, vector: tuple[int, int, int]) -> np.ndarray:
    """v + 2 w (u x v) + 2 u x (u x v): engines of either hand use the same numbers."""
    u, v = quaternion[:3], np.array(vector, float)
    result: np.ndarray = v + 2 * quaternion[3] * np.cross(u, v) + 2 * np.cross(u, np.cross(u, v))
    return result


def test_every_frame_is_tried() -> None:
    assert set(CHARACTERS) == set(FRAMES)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_a_head_nods_turns_and_tilts_to_known_sides(frame: Frame) -> None:
    """Seen by the viewer, whom the character faces: its right is on the picture's left."""
    character = CHARACTERS[frame]
    right, crown, nose = (np.array(part) for part in (character.right, character.crown, character.nose))
    down = frame.rotation(euler_to_quaternion(0, 90, 0))  # pitch > 0 looks down
    np.testing.assert_allclose(rotated(down, character.nose), -crown, atol=1e-12)
    np.testing.assert_allclose(rotated(down, character.right), right, atol=1e-12)
    turned = frame.rotation(euler_to_quaternion(90, 0, 0))  # yaw > 0: toward the picture's right, the own left
    np.testing.assert_allclose(rotated(turned, character.nose), -right, atol=1e-12)
    np.testing.assert_allclose(rotated(turned, character.crown), crown, atol=1e-12)
    tilted = frame.rotation(euler_to_quaternion(0, 0, 90))  # roll > 0: counter-clockwise, the crown to the own right
    np.testing.assert_allclose(rotated(tilted, character.crown), right, atol=1e-12)
    np.testing.assert_allclose(rotated(tilted, character.nose), nose, atol=1e-12)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_turning_and_changing_frames_commute(frame: Frame) -> None:
    """A point turned in the camera frame, then brought to the engine's, is the point brought there, then turned."""
    quaternions, character = euler_to_quaternion(*TURNS.T), CHARACTERS[frame]
    change = np.array([character.right, character.crown, character.nose]).T * [-1, 1, 1]  # camera's x is the left
    expected = change @ quaternion_to_matrix(quaternions) @ change.T
    np.testing.assert_allclose(quaternion_to_matrix(frame.rotation(quaternions)), expected, atol=1e-12)
    np.testing.assert_array_equal(frame.change, change)


def test_handedness() -> None:
    assert {frame.name for frame in FRAMES if frame.left_handed} == {"Unity", "VMC", "Unreal Engine"}


def test_rotations_keep_shape_and_precision() -> None:
    many = UNREAL.rotation(np.tile(np.array([0.1, 0.2, 0.3, 0.927], np.float32), (2, 5, 1)))
    assert many.shape == (2, 5, 4)
    assert many.dtype == np.float32
    np.testing.assert_array_equal(many[1, 4], np.array([-0.3, 0.1, -0.2, 0.927], np.float32))


def unreal_rotator(quaternion: np.ndarray) -> tuple[float, float, float]:
    """FRotator's Pitch, Yaw and Roll in radians: of where forward (x) and right (y) are turned to.

    Yaw > 0 turns to the right, Pitch > 0 up, Roll > 0 clockwise as the character sees it, so that its right ear goes
    down; roll comes first.
    """
    forward, right = rotated(quaternion, (1, 0, 0)), rotated(quaternion, (0, 1, 0))
    yaw, pitch = np.arctan2(forward[1], forward[0]), np.arcsin(np.clip(forward[2], -1, 1))
    level = np.array([-np.sin(yaw), np.cos(yaw), 0])  # right, before the roll
    above = np.cross(forward, level)  # up, before the roll
    return float(pitch), float(yaw), float(np.arctan2(-right @ above, right @ level))


def test_live_links_angles_are_unreals_but_for_yaw() -> None:
    """HeadYaw is > 0 to the own left, where Unreal's is > 0 to the right."""
    for quaternion in euler_to_quaternion(*TURNS.T):
        head_yaw, head_pitch, head_roll = head_angles(quaternion)
        expected = unreal_rotator(UNREAL.rotation(quaternion))
        np.testing.assert_allclose((head_pitch, -head_yaw, head_roll), expected, atol=1e-9)


# What docs/axes.md tells to write where an engine has Euler angles in our order, by scipy: capital letters turn about
# the axes as the turns before have left them, small letters about fixed ones. Columns of TURNS: yaw, pitch, roll.
EULER: Final = {
    UNITY: Rotation.from_euler("ZYX", TURNS[:, [2, 0, 1]] * [-1, -1, 1], degrees=True),
    THREE: Rotation.from_euler("ZYX", TURNS[:, [2, 0, 1]], degrees=True),
    GODOT: Rotation.from_euler("ZYX", TURNS[:, [2, 0, 1]], degrees=True),
    BLENDER: Rotation.from_euler("xzy", TURNS[:, [1, 0, 2]] * [1, 1, -1], degrees=True),
}


@pytest.mark.parametrize("frame", EULER, ids=lambda frame: frame.name)
def test_euler_angles_of_the_page(frame: Frame) -> None:
    expected = quaternion_to_matrix(frame.rotation(euler_to_quaternion(*TURNS.T)))
    np.testing.assert_allclose(EULER[frame].as_matrix(), expected, atol=1e-9)
