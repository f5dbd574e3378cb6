"""The frame of each engine, and a head's rotation in it: of the senders here, of the clients, of docs/axes.md.

A character that faces its viewer has its left along the camera frame's x (the image's right), its crown along y and its
face along z. An engine's frame is told by which of its own axes these three lie along, for a character that faces the
way characters do there. The change of frame P takes one to the other; to a left-handed frame it is a reflection, with
det P = -1. A rotation R becomes P R P^-1, and the axis of a rotation, the vector part of its quaternion, is a
pseudovector: v' = det(P) P v.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from service.cli.avatar.mirror import mirror_quaternion
from service.vision.arrays import Array

AXES: Final = "xyz"


@dataclass(frozen=True)
class Frame:
    """An engine's frame. left, up, front: the axes, as "+x" or "-y", along which those of a character lie."""

    name: str
    left: str
    up: str
    front: str

    @cached_property
    def change(self) -> Array:
        """P (3, 3), which turns the camera frame's coordinates of a vector into the engine's."""
        return np.stack([_unit(axis) for axis in (self.left, self.up, self.front)], axis=1)

    @property
    def left_handed(self) -> bool:
        """Whether the engine's frame is; the camera frame is not."""
        return bool(np.linalg.det(self.change) < 0)

    def rotation(self, quaternion: Array) -> Array:
        """A head's rotations (..., 4) [x, y, z, w] in the engine's frame. quaternion: (..., 4), head to camera."""
        return quaternion @ self._signs.astype(quaternion.dtype).T

    def formula(self, mirror: bool = False) -> str:
        """What rotation does, as "(x, -y, -z, w)". mirror: of a character that moves as in a mirror, see mirror.py."""
        signs = mirror_quaternion(self._signs) if mirror else self._signs
        terms = [("-" if row.min() < 0 else "") + "xyzw"[np.abs(row).argmax()] for row in signs]
        return f"({', '.join(terms)})"

    @cached_property
    def _signs(self) -> Array:
        """(4, 4), of one 1 or -1 in each row and column."""
        signs = np.eye(4)
        signs[:3, :3] = np.linalg.det(self.change).round() * self.change
        return signs


def _unit(axis: str) -> Array:
    """The unit vector (3,) along an axis, as "-y"."""
    unit: Array = float(f"{axis[0]}1") * np.eye(3)[AXES.index(axis[1])]
    return unit


UNITY: Final = Frame("Unity", left="-x", up="+y", front="+z")
UNREAL: Final = Frame("Unreal Engine", left="-y", up="+z", front="+x")
BLENDER: Final = Frame("Blender", left="+x", up="+z", front="-y")
FRAMES: Final = (
    UNITY,
    Frame("VMC", left=UNITY.left, up=UNITY.up, front=UNITY.front),  # the protocol carries Unity's own numbers
    UNREAL,
    Frame("Godot", left="+x", up="+y", front="+z"),
    Frame("three.js", left="+x", up="+y", front="+z"),
    Frame("glTF", left="+x", up="+y", front="+z"),
    BLENDER,
)
