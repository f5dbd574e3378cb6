"""Constants on the device, copied there once: each copy from the host makes the program wait for the device."""

import functools
from typing import Any

import torch
from torch import Tensor


@functools.cache
def constant(values: tuple[Any, ...], device: torch.device) -> Tensor:
    """The tensor of these numbers, which may be nested tuples; nobody may change it."""
    return torch.tensor(values, device=device)
