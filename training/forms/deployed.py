"""The networks as they are published: the same function, arranged for 8 bits and for pictures that lie in memory.

Two rewritings, both exact up to rounding:

- Four pixels side by side are one of 12 channels (the same bytes), so that the first convolution, 4 x 4 with stride 4,
  becomes 4 x 1 and copies whole runs of memory.
- Each column of an output is divided by its unit, and multiplied by it again after the last layer, in float32: all
  columns then share one 8-bit scale without the widest taking the others' precision, as a score's logit would take a
  box's. Not so MFN's identity and expression, whose columns are alike enough: 1,701 rows of them would cost too much.
"""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from training.networks import PATCH, SFN, Regressor

PLENTIFUL = ("identity", "expression")  # of MFN: as they are
LEAST_UNIT = 1e-3  # of a column that never leaves 0
BATCH = 8


def in_quads(conv: nn.Conv2d) -> nn.Conv2d:
    """The 4 x 4 convolution of stride 4 on (B, 3, H, W) as one on (B, 12, H, W / 4), channels x * 3 + colour."""
    outputs = conv.out_channels
    quads = nn.Conv2d(3 * PATCH, outputs, (PATCH, 1), (PATCH, 1), bias=conv.bias is not None)
    weight = conv.weight.permute(0, 3, 1, 2).reshape(outputs, 3 * PATCH, PATCH, 1)
    with torch.no_grad():
        quads.weight.copy_(weight)
        if conv.bias is not None and quads.bias is not None:
            quads.bias.copy_(conv.bias)
    return quads


def last_layers(network: nn.Module, group: str) -> list[nn.Module]:
    """The layers whose rows are the columns of an output: MFN has one a level, SFN one."""
    heads = getattr(network, group)
    return [heads.last] if isinstance(heads, Regressor) else [head.last for head in heads]


class Deployed(nn.Module):
    """A trained network in its published arrangement.

    Takes pictures (B, S, S, 3) uint8. `units`: (columns,) of each output, None where it is as the network gave it.
    """

    def __init__(self, network: nn.Module, groups: Sequence[str], pictures: np.ndarray) -> None:
        """groups: the outputs' names. pictures: (N, S, S, 3) uint8, which show how far each column goes."""
        super().__init__()
        self.network = copy.deepcopy(network).eval()
        self.side: int = network.input_size
        self.groups = tuple(groups)
        for group, peak in zip(groups, peaks_of(self.network, pictures), strict=True):
            if isinstance(network, SFN) or group not in PLENTIFUL:
                self.register_buffer(f"{group}_unit", peak.clamp(min=LEAST_UNIT))
                divide(last_layers(self.network, group), peak.clamp(min=LEAST_UNIT))
        self.network.stem.patches[0] = in_quads(self.network.stem.patches[0])

    @property
    def units(self) -> tuple[Tensor | None, ...]:
        return tuple(getattr(self, f"{group}_unit", None) for group in self.groups)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        quads = image.reshape(-1, self.side, self.side // PATCH, 3 * PATCH).permute(0, 3, 1, 2)
        outputs = zip(self.network(quads.float()), self.units, strict=True)
        return tuple(output if unit is None else output * unit for output, unit in outputs)


def peaks_of(network: nn.Module, pictures: np.ndarray) -> list[Tensor]:
    """Of each output (columns,), the greatest magnitude of each column on pictures (N, S, S, 3) uint8."""
    found = []
    with torch.no_grad():
        for batch in np.array_split(pictures, -(-len(pictures) // BATCH)):
            outputs = network(torch.from_numpy(batch).permute(0, 3, 1, 2).float())
            found.append([output.flatten(0, -2).abs().amax(0) for output in outputs])
    return [torch.stack(batches).amax(0) for batches in zip(*found, strict=True)]


def divide(layers: Sequence[nn.Module], unit: Tensor) -> None:
    """Makes the layers answer in units: their rows are the output's columns, once for each anchor of a cell."""
    with torch.no_grad():
        for layer in layers:
            rows = unit.repeat(len(layer.weight) // len(unit))
            layer.weight /= rows.view(-1, *[1] * (layer.weight.ndim - 1))
            layer.bias /= rows
