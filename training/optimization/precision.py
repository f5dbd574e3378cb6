"""Mixed precision: the number format that a network's operations run in."""

import torch
from torch import Tensor, nn

PRECISIONS = ("float32", "bfloat16")


def in_precision(network: nn.Module, images: Tensor, precision: str) -> tuple[Tensor, ...]:
    """A network's outputs as float32, computed in `precision` where the operations allow (autocast)."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        outputs = network(images)
    return tuple(output.float() for output in outputs)
