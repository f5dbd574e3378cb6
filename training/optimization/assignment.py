"""Assigns faces to the priors that are to predict them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from training.networks.variants import MULTIPLE


@dataclass(frozen=True)
class Assignment:
    """Gives a prior the face whose size is like its own and whose centre is near.

    A face's size sqrt(w h) is like a prior's when it lies within the factor `tolerance`, or when no other prior's is
    nearer to it. Near means within `reach` cells in x and in y, and inside the face unless it is the face's own cell.
    With tolerance 1 and reach 0.5 this is YOLO's rule: the best anchor of the cell that holds the centre.
    """

    tolerance: float = 1.8
    reach: float = 1.0

    def __call__(self, boxes: Tensor, present: Tensor, priors: Tensor, strides: Tensor) -> Tensor:
        """(B, N) index of each prior's face, -1 for background.

        boxes: (B, F, 4) x1 y1 x2 y2. present: (B, F) bool. priors: (N, 4) cx cy w h. strides: (N,).
        """
        centre = (boxes[..., :2] + boxes[..., 2:]) / 2
        extent = boxes[..., 2:] - boxes[..., :2]
        size = extent.clamp(min=1).prod(-1).sqrt()  # (B, F)
        mismatch = (size[..., None] / priors[:, 2:].prod(-1).sqrt()).log().abs()  # (B, F, N)
        alike = (mismatch <= math.log(self.tolerance)) | (mismatch <= mismatch.amin(-1, keepdim=True) + 1e-6)
        offset = (priors[:, :2] - centre[..., None, :]).abs()  # (B, F, N, 2)
        cells = (offset / strides[:, None]).amax(-1)
        inside = (offset < extent[..., None, :] / 2).all(-1)
        takes = alike & present[..., None] & ((cells <= 0.5) | ((cells < self.reach) & inside))
        cost = torch.where(takes, cells + mismatch, torch.inf)
        best, face = cost.min(dim=1)
        return torch.where(best.isfinite(), face, -1)


YOLO = Assignment(tolerance=1.0, reach=0.5)
ASSIGNMENTS = dict.fromkeys(MULTIPLE, Assignment()) | {"paper-mfn": YOLO}  # by variant
