"""The networks by name: what --variant of the training and export commands chooses from."""

from collections.abc import Callable
from functools import partial

from torch import nn

from training.assignment import Assignment
from training.networks.ablations import DetectionMFN, SingleScaleMFN, SingleScaleSFN
from training.networks.networks import MFN, SFN, SMALL
from training.networks.paper import PaperMFN, PaperSFN

MULTIPLE: dict[str, Callable[[], nn.Module]] = {
    "mfn": MFN,
    "paper-mfn": PaperMFN,
    "single-scale-mfn": SingleScaleMFN,
    "detection-mfn": DetectionMFN,
}
SINGLE: dict[str, Callable[[], nn.Module]] = {
    "sfn": SFN,
    "small-sfn": partial(SFN, SMALL),
    "paper-sfn": PaperSFN,
    "single-scale-sfn": SingleScaleSFN,
}
DETECTORS = ("detection-mfn",)  # say nothing of pose, identity and expression, and are not trained to
ASSIGNMENTS = dict.fromkeys(MULTIPLE, Assignment()) | {
    "paper-mfn": Assignment(tolerance=1.0, reach=0.5)  # YOLO's
}
