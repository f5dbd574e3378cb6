"""Fits the face model to 68 points with the teacher's blendshapes as prior (paper section 3.3, data/README.md).

Minimises, by Gauss-Newton over all faces at once,

    sum_i  w_i |projection_i - point_i|^2 / (sigma size)^2  +  |w_id|^2 / sigma_id^2  +  |w_exp - prior|^2 / sigma_exp^2

over rotation, origin, scale, w_id and w_exp, with w_exp held within [0, 1]. size is sqrt(w h) of the points' box.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from service.vision.face_model import FaceModel
from service.vision.rotation import matrix_to_quaternion

POINT_SIGMA = 0.012  # of the face's size: how well a fitted face meets its points
IDENTITY_SIGMA = 0.8  # gives w_id an RMS of about 0.8, which generalises; 1.4 overfits
EXPRESSION_SIGMA = 0.07  # trust in the teacher's blendshapes
WEAK_SIGMA = 0.12  # where the teacher is weak and the points can tell more
WEAK = ("mouthFrown_L", "mouthFrown_R", "mouthClose")
FIRM_SIGMA = 0.03  # where 68 points tell less than the teacher: these would take up yaw and the lips' own shape
FIRM = ("mouthFunnel", "jawLeft", "jawRight", "mouthLeft", "mouthRight")
ROUNDS = 12
DAMPING = 1e-3


@dataclass
class Fit:
    """Holds N fits of the face model: quaternion (N, 4), origin (N, 2) pixels, scale (N,) pixels a cm, identity (N,
    50), expression (N, 46), points (N, 68, 2) as projected, error (N,) weighted root mean square distance over the
    face's size."""

    quaternion: np.ndarray
    origin: np.ndarray
    scale: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    points: np.ndarray
    error: np.ndarray


def rotation_from_3d(shape: Tensor, seen: Tensor) -> Tensor:
    """(N, 3, 3) rotations that turn `shape` (68, 3) nearest to `seen` (N, 68, 3) in the camera frame (Kabsch)."""
    a = shape - shape.mean(0)
    b = seen - seen.mean(1, keepdim=True)
    u, _, vt = torch.linalg.svd(b.transpose(1, 2) @ a)
    sign = torch.ones(len(seen), 3, dtype=shape.dtype)
    sign[:, 2] = torch.det(u @ vt)
    rotation: Tensor = u @ (sign[:, :, None] * vt)
    return rotation


def small_rotation(vector: Tensor) -> Tensor:
    """(N, 3, 3) matrices of rotation vectors (N, 3), radians."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    matrix: Tensor = torch.linalg.matrix_exp(cross)
    return matrix


def fit(
    face_model: FaceModel,
    points: np.ndarray,
    point_weight: np.ndarray,
    prior: np.ndarray,
    seen: np.ndarray,
    chunk: int = 512,
) -> Fit:
    """Fits N faces.

    points: (N, 68, 2) pixels. point_weight: (N, 68). prior: (N, 46) expected w_exp. seen: (N, 68, 3) the teacher's
    points with depth, x right, y down, z away from the viewer, for the first guess of the rotation.
    """
    parts = [
        _fit_chunk(
            face_model, points[i : i + chunk], point_weight[i : i + chunk], prior[i : i + chunk], seen[i : i + chunk]
        )
        for i in range(0, len(points), chunk)
    ]
    return Fit(*(np.concatenate([getattr(part, name) for part in parts]) for name in Fit.__dataclass_fields__))


def _fit_chunk(
    face_model: FaceModel, points: np.ndarray, point_weight: np.ndarray, prior: np.ndarray, seen: np.ndarray
) -> Fit:
    model = face_model.landmarks
    mean = torch.from_numpy(np.asarray(model.mean, np.float32))
    basis = torch.from_numpy(np.concatenate([model.identity, model.expression]).astype(np.float32))  # (96, 68, 3)
    target = torch.from_numpy(points.astype(np.float32))
    wanted = torch.from_numpy(prior.astype(np.float32))
    n = len(target)
    extent = target.amax(1) - target.amin(1)
    size = extent.prod(-1).sqrt()
    root_weight = torch.from_numpy(point_weight.astype(np.float32)).sqrt() / (POINT_SIGMA * size[:, None])  # (N, 68)

    sigma = torch.full((46,), EXPRESSION_SIGMA)
    for names, own_sigma in ((WEAK, WEAK_SIGMA), (FIRM, FIRM_SIGMA)):
        sigma[[face_model.expression_names.index(name) for name in names]] = own_sigma
    prior_weight = torch.cat([torch.zeros(6), torch.full((50,), IDENTITY_SIGMA**-2), sigma**-2])  # (102,)

    camera = torch.from_numpy(seen.astype(np.float32)) * torch.tensor([1.0, -1, -1])
    rotation = rotation_from_3d(mean, camera)
    turned = mean @ rotation.transpose(1, 2)
    spread = (turned[..., :2] - turned[..., :2].mean(1, keepdim=True)).square().sum((1, 2)).sqrt()
    scale = (target - target.mean(1, keepdim=True)).square().sum((1, 2)).sqrt() / spread
    flip = torch.tensor([1.0, -1.0])
    origin = (target - scale[:, None, None] * turned[..., :2] * flip).mean(1)
    identity, expression = torch.zeros(n, 50), wanted.clone()

    def project() -> tuple[Tensor, Tensor]:
        shape = mean + (torch.cat([identity, expression], 1) @ basis.flatten(1)).unflatten(1, (68, 3))
        turned = shape @ rotation.transpose(1, 2)
        return turned, origin[:, None] + scale[:, None, None] * turned[..., :2] * flip

    for _ in range(ROUNDS):
        turned, projected = project()
        x, y, z = turned.unbind(-1)
        zero, s = torch.zeros_like(x), scale[:, None]
        # columns: rotation about x, y, z (from the left), origin x and y, log scale, then the 96 coefficients
        across = torch.stack([zero, s * z, -s * y, zero + 1, zero, s * x], -1)
        down = -torch.stack([-s * z, zero, s * x, zero, zero - 1, s * y], -1)
        moved = torch.einsum("nij,kpj->npki", rotation[:, :2], basis) * scale[:, None, None, None]  # (N, 68, 96, 2)
        jacobian = torch.stack(
            [torch.cat([across, moved[..., 0]], -1), torch.cat([down, -moved[..., 1]], -1)], 2
        )  # (N, 68, 2, 102)
        jacobian = (jacobian * root_weight[..., None, None]).flatten(1, 2)
        residual = ((projected - target) * root_weight[..., None]).flatten(1)
        state = torch.cat([torch.zeros(n, 6), identity, expression - wanted], 1)
        gradient = (jacobian.transpose(1, 2) @ residual[..., None])[..., 0] + prior_weight * state
        hessian = jacobian.transpose(1, 2) @ jacobian + torch.diag(prior_weight)
        # a coefficient that rests on its bound and is pushed outward stays where it is
        weights = torch.cat([torch.full((n, 56), 0.5), expression], 1)
        stuck = ((weights <= 0) & (gradient > 0)) | ((weights >= 1) & (gradient < 0))
        free = (~stuck).float()
        hessian = hessian * free[:, :, None] * free[:, None, :]
        diagonal = hessian.diagonal(dim1=1, dim2=2)
        hessian = hessian + torch.diag_embed(diagonal * DAMPING + stuck.float())
        step = -torch.linalg.solve(hessian, gradient * free)
        turn = step[:, :3]
        rotation = small_rotation(turn * (0.5 / turn.norm(dim=1, keepdim=True).clamp(min=0.5))) @ rotation
        origin = origin + step[:, 3:5]
        scale = scale * step[:, 5].clamp(-0.3, 0.3).exp()
        identity = identity + step[:, 6:56]
        expression = (expression + step[:, 56:]).clamp(0, 1)

    _, projected = project()
    weight = torch.from_numpy(point_weight.astype(np.float32))
    square = (projected - target).square().sum(-1)
    error = ((square * weight).sum(1) / weight.sum(1)).sqrt() / size
    return Fit(
        quaternion=matrix_to_quaternion(rotation.numpy()).astype(np.float32),
        origin=origin.numpy(),
        scale=scale.numpy(),
        identity=identity.numpy(),
        expression=expression.numpy(),
        points=projected.numpy(),
        error=error.numpy(),
    )
