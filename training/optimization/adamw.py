"""The optimizer: AdamW (Loshchilov and Hutter, 2019) in one fused operation, and what of a network it decays."""

from typing import Any

import torch
from torch import Tensor, nn


class AdamW(torch.optim.AdamW):
    """AdamW that leaves out a step for which `found_inf`, a scalar, is 1, as after an overflow of float16.

    PyTorch's own gradient scaler sets the same attribute. Give `fused=True`, which alone reads it.
    """

    found_inf: Tensor


def decayed_parameters(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Parameter groups for AdamW: weights decay, biases and normalization do not."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
