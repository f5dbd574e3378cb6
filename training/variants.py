"""The networks by name: what --variant of the training and export commands chooses from."""

from torch import nn

from training.ablations import DetectionMFN, SingleScaleMFN, SingleScaleSFN
from training.assignment import Assignment
from training.networks import MFN, SFN
from training.paper_networks import PaperMFN, PaperSFN

MULTIPLE: dict[str, type[nn.Module]] = {
    "mfn": MFN,
    "paper-mfn": PaperMFN,
    "single-scale-mfn": SingleScaleMFN,
    "detection-mfn": DetectionMFN,
}
SINGLE: dict[str, type[nn.Module]] = {"sfn": SFN, "paper-sfn": PaperSFN, "single-scale-sfn": SingleScaleSFN}
DETECTORS = ("detection-mfn",)  # say nothing of pose, identity and expression, and are not trained to
ASSIGNMENTS = dict.fromkeys(MULTIPLE, Assignment()) | {
    "paper-mfn": Assignment(tolerance=1.0, reach=0.5)  # YOLO's
}
