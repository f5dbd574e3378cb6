"""Decodes raw outputs to boxes, poses and landmarks, differentiably.

service/vision/decoding.py is the same in NumPy, for serving.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from service.vision.face_model import FaceModel
from training.networks.constants import constant
from training.networks.outputs import Level

FACE_HEIGHT_CM = 20.0  # scale is predicted relative to a face of this height filling the prior


def priors_of(levels: tuple[Level, ...], size: int, device: torch.device | str = "cpu") -> Tensor:
    """(N, 4) cx, cy, width, height in pixels of every prior: levels in order, row-major cells, anchors in a cell."""
    rows = []
    for level in levels:
        centres = (torch.arange(size // level.stride, device=device) + 0.5) * level.stride
        cy, cx = torch.meshgrid(centres, centres, indexing="ij")
        anchors = torch.tensor(level.anchors, device=device)  # (A, 2)
        cells = torch.stack([cx, cy], -1).reshape(-1, 1, 2).expand(-1, len(anchors), 2)
        rows.append(torch.cat([cells, anchors.expand(len(cells), -1, 2)], -1).reshape(-1, 4))
    return torch.cat(rows)


def decode_boxes(detection: Tensor, priors: Tensor) -> Tensor:
    """(..., 4) x1 y1 x2 y2 from detection (..., 5) and priors (..., 4)."""
    centre = priors[..., :2] + detection[..., :2] * priors[..., 2:]
    half = priors[..., 2:] * torch.exp(detection[..., 2:4].clamp(-4, 4)) / 2
    return torch.cat([centre - half, centre + half], -1)


@dataclass
class Pose:
    """A head's pose: quaternion (..., 4) unit, origin (..., 2) pixels, scale (...) pixels a cm."""

    quaternion: Tensor
    origin: Tensor
    scale: Tensor


def decode_pose(pose: Tensor, priors: Tensor) -> Pose:
    """Pose from raw pose (..., 7) and priors (..., 4). An output of zeros is an unturned face that fills the prior."""
    side = torch.sqrt(priors[..., 2] * priors[..., 3])
    quaternion = pose[..., :4] + constant((0.0, 0.0, 0.0, 1.0), pose.device)
    return Pose(
        quaternion=quaternion / quaternion.norm(dim=-1, keepdim=True).clamp(min=1e-6),
        origin=priors[..., :2] + pose[..., 4:6] * side[..., None],
        scale=side * torch.exp(pose[..., 6].clamp(-4, 4)) / FACE_HEIGHT_CM,
    )


class Landmarks(torch.nn.Module):
    """The face model's 68 points, in torch."""

    mean: Tensor  # (68, 3)
    basis: Tensor  # (96, 68 * 3), identity modes before expressions

    def __init__(self, face_model: FaceModel) -> None:
        super().__init__()
        shape = face_model.landmarks
        self.register_buffer("mean", torch.from_numpy(np.asarray(shape.mean, np.float32)))
        basis = np.concatenate([shape.identity, shape.expression])  # (96, 68, 3)
        self.register_buffer("basis", torch.from_numpy(np.asarray(basis, np.float32)).flatten(1))

    @classmethod
    def load(cls, path: Path = Path("models/face_model.npz")) -> "Landmarks":
        """Those of a published face model."""
        return cls(FaceModel.load(path))

    def shape(self, identity: Tensor, expression: Tensor) -> Tensor:
        """(N, 68, 3) cm in the head frame."""
        offsets = torch.cat([identity, expression], -1) @ self.basis
        return self.mean + offsets.view(-1, *self.mean.shape)

    def forward(self, pose: Pose, identity: Tensor, expression: Tensor) -> Tensor:
        """(N, 68, 2) pixels (paper, equation 2)."""
        turned = self.shape(identity, expression) @ rotation_rows(pose.quaternion).transpose(1, 2)  # (N, 68, 2)
        flat = turned * pose.scale[:, None, None]
        return pose.origin[:, None] + flat * constant((1.0, -1.0), flat.device)


def rotation_rows(quaternion: Tensor) -> Tensor:
    """The first two rows (N, 2, 3) of the rotation matrices: what weak perspective sees."""
    x, y, z, w = quaternion.unbind(-1)
    first = torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)], -1)
    second = torch.stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)], -1)
    return torch.stack([first, second], -2)
