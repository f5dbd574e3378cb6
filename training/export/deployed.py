"""The networks as they are published: nearly the same function, arranged for 8 bits, for how pictures lie in memory
and for files that compress well.

Four rewritings, all exact up to rounding in float32:

- Each normalisation is folded into the convolution before it, as every runtime would do.
- Channels that share a scale in 8 bits get ranges that are alike, see training/export/balance.py.
- Four pixels side by side are one of 12 channels (the same bytes), so that the first convolution, 4 x 4 with stride 4,
  becomes 4 x 1 and copies whole runs of memory.
- Each column of MFN's detection and pose is divided by its unit, and multiplied by it again after the last layer, in
  float32. In 8 bits they go from -1 to 1: a unit is how far the column goes where there are faces, so that neither the
  wider columns nor what is said of the background take precision from a face's box. Columns of identity and expression
  are alike enough, and ten times as many. SFN has one row of each, so that its last layers stay float32 whole.

At last the weights are rounded to SIGNIFICANT_BITS, which is not exact but below what can be measured on photos; before
that those of MFN's detection and pose to the steps that they have in 8 bits, so that the errors make up for each other
(training/export/compensation.py). All forms are made from these numbers (see training/export/rounding.py).
"""

import copy
import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.export.balance import balance
from training.export.compensation import FEWEST_FACES, compensate
from training.export.rounding import INT8_STEPS, SIGNIFICANT_BITS, round_weights
from training.networks.networks import PATCH, input_sizes

EQUALIZED = ("detection", "pose")  # of MFN
HEADROOM = 1.3  # faces on photos go further than those on the calibration pictures
SCORE_UNIT = 6.0  # of the score's logit: scores of 0.0025 to 0.9975 are told apart
FACE_LOGIT = -2.0  # priors with a score above 0.12 see a face
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


def fold_normalisations(network: nn.Module) -> None:
    """Puts the statistics of each normalisation that follows a convolution into that convolution."""
    for layers in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for i, (conv, normalisation) in enumerate(itertools.pairwise(layers)):
            if isinstance(conv, nn.Conv2d) and isinstance(normalisation, nn.BatchNorm2d):
                layers[i], layers[i + 1] = fuse_conv_bn_eval(conv, normalisation), nn.Identity()


def last_layers(network: nn.Module, group: str) -> list[nn.Module]:
    """The layers whose rows are the columns of an output, one a level."""
    return [head.last for head in getattr(network, group)]


class Deployed(nn.Module):
    """A trained network in its published arrangement.

    Takes pictures (B, S, S, 3) uint8 of any S that suits the network; `side` is the usual one, `sides` are all that it
    is published for. `units`: (columns,) of each output, None where it is as the network gave it.
    """

    def __init__(
        self, network: nn.Module, groups: Sequence[str], pictures: np.ndarray, bits: int | None = SIGNIFICANT_BITS
    ) -> None:
        """groups: the outputs' names. pictures: (N, S, S, 3) uint8, which show how far each column goes. bits: of the
        weights; None leaves them as they are after the rewritings."""
        super().__init__()
        self.network = copy.deepcopy(network).eval()
        self.side: int = network.input_size
        self.sides = input_sizes(network)
        self.groups = tuple(groups)
        if "detection" in groups:
            for group, unit in units_of(self.network, pictures).items():
                self.register_buffer(f"{group}_unit", unit)
                divide(last_layers(self.network, group), unit)
        fold_normalisations(self.network)
        balance(self.network, pictures)
        if bits is not None:
            for group in EQUALIZED if "detection" in groups else ():
                compensate(last_layers(self.network, group), self._sees_faces, pictures, INT8_STEPS, bits)
            round_weights(self.network, bits)
        self.network.stem.patches[0] = in_quads(self.network.stem.patches[0])

    def _sees_faces(self, pictures: np.ndarray) -> Tensor:
        """(B, N) which priors see a face in pictures (B, S, S, 3) uint8, before the first convolution is rearranged."""
        images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
        return self.network(images).detection[..., 4] * self.detection_unit[4] > FACE_LOGIT

    @property
    def units(self) -> tuple[Tensor | None, ...]:
        return tuple(getattr(self, f"{group}_unit", None) for group in self.groups)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        quads = image.reshape(-1, image.shape[1], image.shape[2] // PATCH, 3 * PATCH).permute(0, 3, 1, 2)
        outputs = zip(self.network(quads.float()), self.units, strict=True)
        return tuple(output if unit is None else output * unit for output, unit in outputs)


def units_of(network: nn.Module, pictures: np.ndarray) -> dict[str, Tensor]:
    """(columns,) of each equalized output, from what the network says of faces on pictures (N, S, S, 3) uint8."""
    with torch.no_grad():
        batches = np.array_split(pictures, -(-len(pictures) // BATCH))
        found = [network(torch.from_numpy(batch).permute(0, 3, 1, 2).float()) for batch in batches]
    outputs = {group: torch.cat([getattr(output, group).flatten(0, 1) for output in found]) for group in EQUALIZED}
    seen = outputs["detection"][:, 4] > FACE_LOGIT
    if seen.sum() >= FEWEST_FACES:
        outputs = {group: rows[seen] for group, rows in outputs.items()}
    units = {group: (HEADROOM * rows.abs().amax(0)).clamp(min=LEAST_UNIT) for group, rows in outputs.items()}
    units["detection"][4] = SCORE_UNIT
    return units


def divide(layers: Sequence[nn.Module], unit: Tensor) -> None:
    """Makes the layers answer in units: their rows are the output's columns, once for each anchor of a cell."""
    with torch.no_grad():
        for layer in layers:
            rows = unit.repeat(len(layer.weight) // len(unit))
            layer.weight /= rows.view(-1, *[1] * (layer.weight.ndim - 1))
            layer.bias /= rows
