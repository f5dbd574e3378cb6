"""Losses: coefficients and landmarks (paper, equations 3 and 4), gaze, boxes and scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from training.data.faces import SMALLEST_SPREAD, FaceLabels
from training.networks.constants import constant
from training.networks.decoding import Landmarks, Pose

LANDMARK_WEIGHT = 50.0  # landmarks' distance then counts as pixels of a face of 50 pixels
EXPRESSION_WEIGHT = 25.0  # brings them level with identity once both are learned
EXPRESSION_KNEE = 3.0  # spreads; up to here an expression's error counts squared
ROTATION_WEIGHT = 4.0  # quaternions differ by hundredths
LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))  # points of the upper and the lower lid, iBUG order
LID_WEIGHT = 50.0  # as of landmarks
GAZE_WEIGHT = 2.0  # a tenth to a fifth of all terms once they are learned
GAZE_KNEE = 2.0  # spreads; up to here an error counts squared
EYE_WEIGHT = 2.0  # of the eyes' coefficients where they are emphasised


@dataclass
class CoefficientLoss:
    """Computes equation 3: coefficient_weight (the paper's tau) * (L1 of w_id, w_exp and R) + root mean square of the
    landmarks' distances.

    Two departures: the landmarks' distance is in units of sqrt(w h) of the face's points, so that faces
    of all sizes weigh the same; and each expression's error is divided by that coefficient's spread in the training set
    and squared (Huber), for plain L1 sets rare coefficients to their median, which is zero.
    expression_spread: (46,). With `eyes`, (46,) of 1 where a coefficient is one of the eyes', these count more, and so
    does how far the lids are open: a few hundredths of the face, lost among the distances of 68 points.
    """

    landmarks: Landmarks
    expression_spread: Tensor
    eyes: Tensor | None = None

    def __call__(
        self, pose: Pose, identity: Tensor, expression: Tensor, target: FaceLabels, coefficient_weight: float
    ) -> dict[str, Tensor]:
        """Terms to add up, each a scalar; identity (M, 50), expression (M, 46) in 0..1, target of the same M faces."""
        weight = target.fitted
        total = weight.sum().clamp(min=1)

        def mean(per_face: Tensor) -> Tensor:
            return (per_face * weight).sum() / total

        aligned = torch.where((pose.quaternion * target.quaternion).sum(-1, keepdim=True) < 0, -1.0, 1.0)
        rotation = (pose.quaternion * aligned - target.quaternion).abs().mean(-1)
        spread = self.expression_spread
        error = expression - target.expression
        missed = functional.huber_loss(error / spread, torch.zeros_like(error), reduction="none", delta=EXPRESSION_KNEE)
        if self.eyes is not None:
            missed = missed * (1 + (EYE_WEIGHT - 1) * self.eyes)
        expression_error = missed.mean(-1) * spread.mean()
        points = self.landmarks(pose, identity, expression)
        extent = target.points.amax(1) - target.points.amin(1)
        size = torch.sqrt(extent[:, 0] * extent[:, 1]).clamp(min=4)
        square = ((points - target.points) / size[:, None, None]).square().sum(-1)
        point_weight = target.point_weight
        distance = torch.sqrt((square * point_weight).sum(-1) / point_weight.sum(-1).clamp(min=1) + 1e-8)
        terms = {
            "identity": coefficient_weight * mean((identity - target.identity).abs().mean(-1)),
            "expression": EXPRESSION_WEIGHT * coefficient_weight * mean(expression_error),
            "rotation": ROTATION_WEIGHT * coefficient_weight * mean(rotation),
            "landmarks": LANDMARK_WEIGHT * mean(distance * (point_weight.sum(-1) > 0)),
        }
        if self.eyes is not None:
            wrong = (lid_opening(points) - lid_opening(target.points)).abs() / size[:, None]
            seen = point_weight[:, constant(LIDS, points.device)].amin(-1)  # (M, 4)
            terms["lids"] = LID_WEIGHT * mean((wrong * seen).mean(-1))
        return terms


def gaze_loss(gaze: Tensor, target: Tensor, spread: Tensor) -> Tensor:
    """Mean Huber loss, in spreads, of what is known; a scalar, 0 where nothing is.

    gaze: (M, 8) in 0..1. target: (M, 8), NaN where unknown. spread: (8,) of the training set, see spread_of_known.
    """
    known = torch.isfinite(target)
    error = torch.where(known, gaze - target.nan_to_num(), 0) / spread
    missed = functional.huber_loss(error, torch.zeros_like(error), reduction="sum", delta=GAZE_KNEE)
    return missed / known.sum().clamp(min=1)


def spread_of_known(values: Tensor) -> Tensor:
    """(C,) standard deviations of the columns of (N, C) over rows without NaN; 1 where fewer than two rows are."""
    known = values[torch.isfinite(values).all(1)]
    return known.std(0).clamp(min=SMALLEST_SPREAD) if len(known) > 1 else values.new_ones(values.shape[1])


def eyes_among(names: Sequence[str]) -> Tensor:
    """(C,) 1 where a coefficient's name is one of the eyes'."""
    return torch.tensor([float(name.startswith("eye")) for name in names])


def lid_opening(points: Tensor) -> Tensor:
    """(M, 4) distances between the lids, two an eye, of points (M, 68, 2)."""
    upper, lower = constant(LIDS, points.device).unbind(-1)
    return ((points[:, upper] - points[:, lower]).square().sum(-1) + 1e-8).sqrt()


def box_loss(predicted: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """1 - generalized IoU (Rezatofighi et al., CVPR 2019) and the IoU: (M,), (M,) of boxes (M, 4) x1 y1 x2 y2."""
    overlap_low = torch.maximum(predicted[:, :2], target[:, :2])
    overlap_high = torch.minimum(predicted[:, 2:], target[:, 2:])
    overlap = (overlap_high - overlap_low).clamp(min=0).prod(-1)
    area = (predicted[:, 2:] - predicted[:, :2]).prod(-1) + (target[:, 2:] - target[:, :2]).prod(-1)
    union = (area - overlap).clamp(min=1e-6)
    hull_low = torch.minimum(predicted[:, :2], target[:, :2])
    hull_high = torch.maximum(predicted[:, 2:], target[:, 2:])
    hull = (hull_high - hull_low).prod(-1).clamp(min=1e-6)
    iou = overlap / union
    return 1 - iou + (hull - union) / hull, iou


def score_loss(logits: Tensor, target: Tensor, counted: Tensor) -> Tensor:
    """Quality focal loss (Li et al., "Generalized Focal Loss", 2020), summed: the score learns the box's IoU.

    logits, target in 0..1 and counted (0 where neither face nor background), all (B, N).
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (entropy * (torch.sigmoid(logits) - target).square() * counted).sum()
