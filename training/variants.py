"""The networks by name: what --variant of the training and export commands chooses from."""

from torch import nn

from training.assignment import Assignment
from training.networks import MFN, SFN
from training.paper_networks import PaperMFN, PaperSFN

MULTIPLE: dict[str, type[nn.Module]] = {"mfn": MFN, "paper-mfn": PaperMFN}
SINGLE: dict[str, type[nn.Module]] = {"sfn": SFN, "paper-sfn": PaperSFN}
ASSIGNMENTS = {"mfn": Assignment(), "paper-mfn": Assignment(tolerance=1.0, reach=0.5)}  # the paper's is YOLO's
