"""What the networks take and give: raw outputs, grids of priors, and the classes that every variant extends.

Networks take pictures as (B, 3, H, W) float in 0..255 and return raw outputs, which training/networks/decoding.py and
service/vision/decoding.py turn into faces.
"""

from typing import NamedTuple

from torch import Tensor, nn

EXPRESSIONS, IDENTITY, POSE, DETECTION, GAZE = 46, 50, 7, 5, 8
COLUMNS = {"detection": DETECTION, "pose": POSE, "identity": IDENTITY, "expression": EXPRESSIONS, "gaze": GAZE}
EXPRESSION_PRIOR = -2.4  # logit of 0.08, the mean over coefficients and faces
GAZE_PRIOR = -1.8  # logit of 0.14, the mean over the eight and faces
SCORE_PRIOR = -4.6  # logit of a score of 0.01: nearly every prior is background (Lin et al., "Focal Loss", section 3.3)


class Level(NamedTuple):
    """A grid of priors: cells of `stride` pixels with `anchors` (width, height) in pixels each."""

    stride: int
    anchors: tuple[tuple[float, float], ...]


class Outputs(NamedTuple):
    """Raw outputs of N priors: detection (B, N, 5), pose (B, N, 7), identity (B, N, 50), expression (B, N, 46)
    logits."""

    detection: Tensor
    pose: Tensor
    identity: Tensor
    expression: Tensor


class CropOutputs(NamedTuple):
    """Raw outputs of B crops: pose (B, 7), identity (B, 50), expression (B, 46) logits, gaze (B, 8) logits in the order
    of service.vision.gaze.GAZE_NAMES."""

    pose: Tensor
    identity: Tensor
    expression: Tensor
    gaze: Tensor


class FaceNetwork(nn.Module):
    """A network for square pictures. input_size: the side in pixels that it is trained at. input_sizes: all sides that
    it is published for, that one first."""

    input_size: int
    input_sizes: tuple[int, ...]


class MultipleFaceNetwork(FaceNetwork):
    """Finds every face of pictures (B, 3, S, S): `forward` gives Outputs, a row a prior of `levels`."""

    levels: tuple[Level, ...]


class SingleFaceNetwork(FaceNetwork):
    """Regresses one face from crops (B, 3, S, S): `forward` gives CropOutputs. The prior is the whole crop."""
