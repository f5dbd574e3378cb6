"""The networks by name: what --variant of the training and export commands chooses from."""

import torch
from torch import Tensor, nn

from training.assignment import Assignment
from training.networks import MFN, SFN
from training.paper_networks import PaperMFN, PaperSFN

MULTIPLE: dict[str, type[nn.Module]] = {"mfn": MFN, "paper-mfn": PaperMFN}
SINGLE: dict[str, type[nn.Module]] = {"sfn": SFN, "paper-sfn": PaperSFN}
ASSIGNMENTS = {"mfn": Assignment(), "paper-mfn": Assignment(tolerance=1.0, reach=0.5)}  # the paper's is YOLO's
PRECISIONS = ("float32", "bfloat16")


def in_precision(network: nn.Module, images: Tensor, precision: str) -> tuple[Tensor, ...]:
    """The network's outputs in float32, computed in `precision` where the operations allow (autocast)."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        outputs = network(images)
    return tuple(output.float() for output in outputs)
