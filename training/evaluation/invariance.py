"""Whether the same photo turned, shifted, scaled or mirrored gives the same face: what paper section 3.2 trains for.

Identity and expression must stay (mirrored: left and right exchanged), the pose must move with the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.vision.arrays import Pixels
from service.vision.letterbox import PAD_GREY
from service.vision.rotation import euler_to_quaternion, multiply, normalize, quaternion_to_euler

Floats = NDArray[np.floating[Any]]

ASYMMETRIC_IDENTITY_MODES = (9, 20, 25, 28, 33, 37, 43, 45)  # of the face model: a mirror image flips their sign
_SIDES = (("_L", "_R"), ("_R", "_L"), ("Left", "Right"), ("Right", "Left"))
# iBUG order: jaw, brows, nose, eyes, mouth
# fmt: off
MIRRORED_POINTS = np.array([
    16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
    26, 25, 24, 23, 22, 21, 20, 19, 18, 17,
    27, 28, 29, 30, 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
])
# fmt: on


@dataclass(frozen=True)
class Movement:
    """A movement of a picture about its centre: mirrored left to right first, then scaled, turned counter-clockwise as
    seen by `turn` degrees, and shifted by shares (x, y) of width and height."""

    name: str
    turn: float = 0.0
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    mirror: bool = False

    def linear(self) -> Floats:
        """(2, 2) acting on columns (x, y), y down."""
        c, s = self.scale * np.cos(np.radians(self.turn)), self.scale * np.sin(np.radians(self.turn))
        turned = np.array([[c, s], [-s, c]])
        return turned @ np.diag([-1.0, 1.0]) if self.mirror else turned

    def points(self, points: Floats, width: int, height: int) -> Floats:
        """Where pixels (..., 2) of a picture of width x height come to lie."""
        centre = np.array([width, height]) / 2
        moved: Floats = (points - centre) @ self.linear().T + centre * (1 + 2 * np.array(self.shift))
        return moved

    def picture(self, pixels: Pixels) -> Pixels:
        """The moved picture, of the same size; grey where nothing of the picture comes to lie. (H, W, 3) uint8."""
        height, width = pixels.shape[:2]
        inverse = np.linalg.inv(self.linear())
        offset = -inverse @ self.points(np.zeros(2), width, height)
        (a, b), (d, e) = inverse
        moved = Image.fromarray(pixels).transform(
            (width, height),
            Image.Transform.AFFINE,
            (a, b, offset[0], d, e, offset[1]),
            Image.Resampling.BILINEAR,  # the cubic one of this method shifts what it samples by a tenth of a pixel
            fillcolor=(PAD_GREY, PAD_GREY, PAD_GREY),
        )
        return np.asarray(moved)

    def landmarks(self, landmarks: Floats, width: int, height: int) -> Floats:
        """(..., 68, 2) of the moved face; left and right change places in a mirror image."""
        moved = self.points(landmarks, width, height)
        return moved[..., MIRRORED_POINTS, :] if self.mirror else moved

    def quaternion(self, quaternion: Floats) -> Floats:
        """(..., 4) of the moved head: a mirror image flips yaw and roll, a turn adds to roll."""
        if self.mirror:
            quaternion = normalize(quaternion * np.array([1.0, -1.0, -1.0, 1.0]))
        return normalize(multiply(euler_to_quaternion(0, 0, self.turn), quaternion))

    def identity(self, identity: Floats) -> Floats:
        """(..., 50) of the moved face."""
        if not self.mirror:
            return identity
        sign = np.ones(identity.shape[-1])
        sign[list(ASYMMETRIC_IDENTITY_MODES)] = -1
        return identity * sign

    def expression(self, expression: Floats, names: Sequence[str]) -> Floats:
        """(..., C) of the moved face, whose coefficients have these names."""
        return expression[..., mirrored_names(names)] if self.mirror else expression


MOVEMENTS = (
    Movement("turned 15 degrees", turn=15),
    Movement("turned -15 degrees", turn=-15),
    Movement("shifted by 6 % and 4 %", shift=(0.06, -0.04)),
    Movement("scaled to 0.8", scale=0.8),
    Movement("mirrored", mirror=True),
)


@dataclass(frozen=True)
class Faces:
    """M faces, a row each: quaternion (M, 4), identity (M, 50), expression (M, C)."""

    quaternion: Floats
    identity: Floats
    expression: Floats


@dataclass(frozen=True)
class InvarianceMetrics:
    """How faces changed under a movement, against what they should have become.

    identity, expression: mean |change| over faces and coefficients, divided by the coefficients' mean standard
    deviation between the people in the unmoved pictures. roll: mean |error| of the angle, degrees. rotation: mean angle
    between the rotation and the expected one, degrees. lost: faces found in the picture, but not in the moved one.
    """

    movement: str
    faces: int
    lost: int
    identity: float
    expression: float
    roll: float
    rotation: float


def mirrored_names(names: Sequence[str]) -> NDArray[np.intp]:
    """(C,) index of the coefficient that takes each one's place in a mirror image."""

    def partner(name: str) -> str:
        for side, other in _SIDES:
            if name.endswith(side):
                return name.removesuffix(side) + other
        return name

    return np.array([list(names).index(partner(name)) for name in names], np.intp)


def change(movement: Movement, before: Faces, after: Faces, everyone: Faces, names: Sequence[str]) -> InvarianceMetrics:
    """Compares M faces before and after a movement; `everyone` holds all P >= M unmoved faces, for the spread."""
    roll, expected_roll = (
        quaternion_to_euler(q)[2] for q in (after.quaternion, movement.quaternion(before.quaternion))
    )
    expected = movement.quaternion(before.quaternion)
    cosine = np.abs((after.quaternion * expected).sum(axis=-1))
    rotation = np.degrees(2 * np.arccos(np.minimum(cosine, 1)))
    return InvarianceMetrics(
        movement=movement.name,
        faces=len(before.quaternion),
        lost=len(everyone.quaternion) - len(before.quaternion),
        identity=_over_spread(after.identity - movement.identity(before.identity), everyone.identity),
        expression=_over_spread(after.expression - movement.expression(before.expression, names), everyone.expression),
        roll=float(np.abs((roll - expected_roll + 180) % 360 - 180).mean()),
        rotation=float(rotation.mean()),
    )


def _over_spread(difference: Floats, everyone: Floats) -> float:
    spread = float(everyone.std(axis=0).mean())
    return float(np.abs(difference).mean()) / spread if spread > 0 else float("nan")
