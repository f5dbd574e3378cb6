"""Labels of many faces as arrays, and what a similarity transform of the picture does to them."""

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from service.vision.gaze import GAZE_NAMES
from service.vision.mirroring import ASYMMETRIC_IDENTITY_MODES, GAZE_PARTNERS
from training.arrays import read_arrays
from training.networks.constants import constant

# A mirrored face: left and right exchanged among the 68 points (iBUG order).
MIRRORED_POINTS = np.concatenate(
    [
        np.arange(16, -1, -1),  # jaw
        np.arange(26, 16, -1),  # brows
        [27, 28, 29, 30, 35, 34, 33, 32, 31],  # nose
        [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],  # eyes
        [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55],  # outer lips
        [64, 63, 62, 61, 60, 67, 66, 65],  # inner lips
    ]
)
SMALLEST_SPREAD = 0.04  # of an expression coefficient over the training set; below it the coefficient is noise
TURNED = 40.0  # degrees of yaw from which on a head counts as turned


def rarity(expression: Tensor) -> Tensor:
    """(N,) 1 for usual faces, up to 6 for those with coefficients (N, 46) far above their spread."""
    excess = (expression - expression.mean(0)) / expression.std(0).clamp(min=SMALLEST_SPREAD) - 2
    return (1 + 0.5 * excess.clamp(0, 4).sum(1)).clamp(max=6)


def turned_away(quaternion: Tensor) -> Tensor:
    """(N,) whether heads (N, 4) are turned beyond TURNED to a side: how far the line through the ears leaves the
    picture's plane, which roll does not change."""
    x, y, z, w = quaternion.unbind(-1)
    return (2 * (x * z - y * w)).abs() > math.sin(math.radians(TURNED))


@dataclass
class FaceLabels:
    """N faces in pixels of their picture; NumPy arrays on disk, torch tensors in training, the same names.

    picture: (N,) index of the picture. box: (N, 4) x1 y1 x2 y2. quaternion: (N, 4). origin: (N, 2) where the head
    frame's origin projects. scale: (N,) pixels a cm. identity: (N, 50). expression: (N, 46). points: (N, 68, 2).
    point_weight: (N, 68), 0 where one is not to be trusted. fitted: (N,) 1 where pose and coefficients are known,
    down to 0. ignored: (N,) 1 where the box is neither a face to find nor background. gaze: (N, 8) 0..1 in the order of
    GAZE_NAMES, NaN where unknown.
    """

    picture: Tensor
    box: Tensor
    quaternion: Tensor
    origin: Tensor
    scale: Tensor
    identity: Tensor
    expression: Tensor
    points: Tensor
    point_weight: Tensor
    fitted: Tensor
    ignored: Tensor
    gaze: Tensor

    @classmethod
    def load(cls, path: Path, device: str = "cpu") -> Self:
        """Labels that `save` wrote. Raises SystemExit where the file is missing or holds no labels of this version."""
        advice = "labels of this version are made with python -m training.labels"
        arrays = read_arrays(path, *(f.name for f in fields(cls)), advice=advice)
        return cls(**{name: torch.from_numpy(array).to(device) for name, array in arrays.items()})

    def save(self, path: Path, **beside: Any) -> None:
        """Writes one array a field, and arrays `beside`, which load does not read."""
        arrays: dict[str, Any] = {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
        np.savez(path, **arrays, **beside)

    def require_pictures(self, count: int, path: Path) -> None:
        """Checks which pictures the faces are in. Raises SystemExit, which names `path`, where a face is in none of
        `count` packed pictures."""
        last = int(self.picture.max()) if len(self) else 0
        if last >= count or (len(self) and int(self.picture.min()) < 0):
            raise SystemExit(
                f"{path} has a face in picture {last}, but only {count} pictures are packed: "
                "the labels are of another pack; run python -m training.labels.assemble"
            )

    def __len__(self) -> int:
        return len(self.picture)

    def __getitem__(self, index: Tensor) -> "FaceLabels":
        return FaceLabels(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    @staticmethod
    def concatenate(parts: list["FaceLabels"]) -> "FaceLabels":
        """The faces of several sets; picture indices are taken as they are."""
        return FaceLabels(**{f.name: torch.cat([getattr(p, f.name) for p in parts]) for f in fields(FaceLabels)})

    @staticmethod
    def of_boxes(picture: np.ndarray, box: np.ndarray, ignored: np.ndarray) -> "FaceLabels":
        """Faces of which only the box is known."""
        n = len(box)
        quaternion = np.tile(np.array([0, 0, 0, 1], np.float32), (n, 1))
        return FaceLabels(
            picture=torch.from_numpy(picture.astype(np.int64)),
            box=torch.from_numpy(box.astype(np.float32)),
            quaternion=torch.from_numpy(quaternion),
            origin=torch.from_numpy((box[:, :2] + box[:, 2:]).astype(np.float32) / 2),
            scale=torch.ones(n),
            identity=torch.zeros(n, 50),
            expression=torch.zeros(n, 46),
            points=torch.zeros(n, 68, 2),
            point_weight=torch.zeros(n, 68),
            fitted=torch.zeros(n),
            ignored=torch.from_numpy(ignored.astype(np.float32)),
            gaze=torch.full((n, len(GAZE_NAMES)), torch.nan),
        )


@dataclass
class Similarity:
    """N transforms of pictures: out = scale * Rot(angle) * mirror(in) + shift, in pixels.

    mirror: (N,) bool, x becomes -x first. angle: (N,) radians, counter-clockwise as seen. scale: (N,).
    shift: (N, 2).
    """

    mirror: Tensor
    angle: Tensor
    scale: Tensor
    shift: Tensor

    def linear(self) -> Tensor:
        """(N, 2, 2) matrices on column vectors; the image's y runs down, so counter-clockwise is (c, s; -s, c)."""
        c, s = torch.cos(self.angle) * self.scale, torch.sin(self.angle) * self.scale
        sign = torch.where(self.mirror, -1.0, 1.0)
        return torch.stack([torch.stack([c * sign, s], -1), torch.stack([-s * sign, c], -1)], -2)

    def points(self, points: Tensor) -> Tensor:
        """(N, ..., 2) of (N, ..., 2)."""
        flat = points.reshape(len(points), -1, 2)
        return (flat @ self.linear().transpose(1, 2) + self.shift[:, None]).reshape(points.shape)

    @staticmethod
    def about(centre: Tensor, target: Tensor, scale: Tensor, angle: Tensor, mirror: Tensor) -> "Similarity":
        """The transform that takes `centre` (N, 2) of the picture to `target` (N, 2) of the output."""
        transform = Similarity(mirror, angle, scale, torch.zeros_like(centre))
        transform.shift = target - transform.points(centre)
        return transform

    def __getitem__(self, index: Tensor) -> "Similarity":
        return Similarity(self.mirror[index], self.angle[index], self.scale[index], self.shift[index])

    def faces(self, labels: FaceLabels, expression_partner: Tensor) -> FaceLabels:
        """The labels of the transformed pictures, one transform a face.

        A turn of the picture turns the head about the viewing axis; a mirror image flips yaw and roll and exchanges
        left and right. A turned box is the box around the ellipse inscribed in the old one, for faces are round.
        """
        mirror = self.mirror
        sign = torch.where(
            mirror[:, None],
            constant((1.0, -1.0, -1.0, 1.0), mirror.device),
            torch.ones(1, 4, device=mirror.device),
        )
        x, y, z, w = (labels.quaternion * sign).unbind(-1)
        c, s = torch.cos(self.angle / 2), torch.sin(self.angle / 2)
        quaternion = torch.stack([c * x - s * y, c * y + s * x, c * z + s * w, c * w - s * z], -1)

        modes = constant(tuple(-1.0 if k in ASYMMETRIC_IDENTITY_MODES else 1.0 for k in range(50)), mirror.device)
        column, points_order = mirror[:, None], constant(tuple(MIRRORED_POINTS.tolist()), mirror.device)
        gaze_partner = constant(tuple(GAZE_PARTNERS.tolist()), mirror.device)
        points = self.points(labels.points)
        half = (labels.box[:, 2:] - labels.box[:, :2]) / 2
        cos2, sin2 = torch.cos(self.angle) ** 2, torch.sin(self.angle) ** 2
        turned = (
            torch.stack(
                [
                    torch.sqrt(half[:, 0] ** 2 * cos2 + half[:, 1] ** 2 * sin2),
                    torch.sqrt(half[:, 0] ** 2 * sin2 + half[:, 1] ** 2 * cos2),
                ],
                -1,
            )
            * self.scale[:, None]
        )
        centre = self.points((labels.box[:, :2] + labels.box[:, 2:]) / 2)
        return FaceLabels(
            picture=labels.picture,
            box=torch.cat([centre - turned, centre + turned], -1),
            quaternion=torch.where(quaternion[:, 3:] < 0, -quaternion, quaternion),
            origin=self.points(labels.origin),
            scale=labels.scale * self.scale,
            identity=torch.where(column, labels.identity * modes, labels.identity),
            expression=torch.where(column, labels.expression[:, expression_partner], labels.expression),
            points=torch.where(column[..., None], points[:, points_order], points),
            point_weight=torch.where(column, labels.point_weight[:, points_order], labels.point_weight),
            fitted=labels.fitted,
            ignored=labels.ignored,
            gaze=torch.where(column, labels.gaze[:, gaze_partner], labels.gaze),
        )
