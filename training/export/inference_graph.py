"""The inference graph of a network: nearly the same function as the trained one, arranged for 8 bits and for memory.

Four rewritings, all exact up to rounding in float32:

- Batch normalization is folded into the convolution before it.
- Cross-layer equalization gives channels that share a scale in 8 bits like ranges (training/export/equalization.py).
- Space to depth: four pixels side by side are one of 12 channels (the same bytes), so that the first convolution,
  4 x 4 with stride 4, becomes 4 x 1 and copies whole runs of memory.
- Each column of MFN's detection and pose is divided by a scale of its own, and multiplied by it again after the last
  layer, in float32. In 8 bits they go from -1 to 1: a scale is how far the column goes where there are faces, so that
  neither the wider columns nor outputs for background take precision from a face's box. Columns of identity and
  expression are alike enough, and ten times as many. SFN has one row of each, so that its last layers stay float32.

At last the weights are rounded to SIGNIFICANT_BITS, which is not exact but below what can be measured on photos; before
that GPTQ rounds those of MFN's detection and pose to the steps that they have in 8 bits (training/export/gptq.py). All
forms are made from these numbers (see training/export/rounding.py).
"""

import copy
import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.export.equalization import equalize
from training.export.gptq import FEWEST_FACES, round_by_gptq
from training.export.rounding import INT8_STEPS, SIGNIFICANT_BITS, round_weights
from training.networks.layers import PATCH
from training.networks.mfn import Head
from training.networks.outputs import FaceNetwork, Outputs

SCALED_OUTPUTS = ("detection", "pose")  # of MFN
RANGE_MARGIN = 1.3  # faces on photos go further than those on the calibration pictures
SCORE_SCALE = 6.0  # of the score's logit: scores of 0.0025 to 0.9975 are told apart
FACE_LOGIT = -2.0  # priors with a score above 0.12 see a face
MIN_SCALE = 1e-3  # of a column that never leaves 0
BATCH = 8


def space_to_depth(conv: nn.Conv2d) -> nn.Conv2d:
    """Rewrites the 4 x 4 convolution of stride 4 on (B, 3, H, W) as one on (B, 12, H, W / 4), channels x * 3 +
    colour."""
    outputs = conv.out_channels
    quads = nn.Conv2d(3 * PATCH, outputs, (PATCH, 1), (PATCH, 1), bias=conv.bias is not None)
    weight = conv.weight.permute(0, 3, 1, 2).reshape(outputs, 3 * PATCH, PATCH, 1)
    with torch.no_grad():
        quads.weight.copy_(weight)
        if conv.bias is not None and quads.bias is not None:
            quads.bias.copy_(conv.bias)
    return quads


def fold_batch_norms(network: nn.Module) -> None:
    """Folds each batch normalization that follows a convolution into that convolution, in place."""
    for layers in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for i, (conv, normalization) in enumerate(itertools.pairwise(layers)):
            if isinstance(conv, nn.Conv2d) and isinstance(normalization, nn.BatchNorm2d):
                layers[i], layers[i + 1] = fuse_conv_bn_eval(conv, normalization), nn.Identity()


def output_layers(network: nn.Module, group: str) -> list[nn.Conv2d]:
    """MFN's layers whose rows are the columns of an output, one a level."""
    heads: list[Head] = list(getattr(network, group))
    return [head.last for head in heads]


class InferenceGraph(nn.Module):
    """A trained network rewritten for inference, from which every form is made.

    Takes pictures (B, S, S, 3) uint8 of any S that suits the network; `side` is the usual one, `sides` are all that it
    is published for. `output_scales`: (columns,) of each output, None where it is as the network gave it.
    """

    def __init__(
        self, network: FaceNetwork, groups: Sequence[str], pictures: np.ndarray, bits: int | None = SIGNIFICANT_BITS
    ) -> None:
        """Rewrites a copy of the network. groups: the outputs' names. pictures: (N, S, S, 3) uint8, which show how far
        each column goes. bits: of the weights; None leaves them as they are after the rewritings."""
        super().__init__()
        self.network = copy.deepcopy(network).eval()
        self.side, self.sides = network.input_size, network.input_sizes
        self.groups = tuple(groups)
        if "detection" in groups:
            for group, scale in output_scales_of(self.network, pictures).items():
                self.register_buffer(scale_name(group), scale)
                divide_outputs(output_layers(self.network, group), scale)
        fold_batch_norms(self.network)
        equalize(self.network, pictures)
        if bits is not None:
            for group in SCALED_OUTPUTS if "detection" in groups else ():
                round_by_gptq(output_layers(self.network, group), self._sees_faces, pictures, INT8_STEPS, bits)
            round_weights(self.network, bits)
        patches = self.network.get_submodule("stem.patches")
        if not isinstance(patches, nn.Sequential) or not isinstance(first := patches[0], nn.Conv2d):
            raise ValueError("the stem begins with another layer; a convolution of patches was expected")
        patches[0] = space_to_depth(first)

    def _sees_faces(self, pictures: np.ndarray) -> Tensor:
        """(B, N) which priors see a face in pictures (B, S, S, 3) uint8, before the first convolution is rearranged."""
        outputs: Outputs = self.network(torch.from_numpy(pictures).permute(0, 3, 1, 2).float())
        return outputs.detection[..., 4] * self.get_buffer(scale_name("detection"))[4] > FACE_LOGIT

    @property
    def output_scales(self) -> tuple[Tensor | None, ...]:
        """(columns,) of each output in order, None where it is not scaled."""
        buffers = dict(self.named_buffers(recurse=False))
        return tuple(buffers.get(scale_name(group)) for group in self.groups)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """The network's outputs, in order, of pictures (B, S, S, 3) uint8."""
        quads = image.reshape(-1, image.shape[1], image.shape[2] // PATCH, 3 * PATCH).permute(0, 3, 1, 2)
        outputs = zip(self.network(quads.float()), self.output_scales, strict=True)
        return tuple(output if scale is None else output * scale for output, scale in outputs)


def scale_name(group: str) -> str:
    """The name that an output's scale has in exported files."""
    return f"{group}_unit"


def output_scales_of(network: nn.Module, pictures: np.ndarray) -> dict[str, Tensor]:
    """(columns,) of each of SCALED_OUTPUTS, from what MFN says of faces on pictures (N, S, S, 3) uint8."""
    with torch.no_grad():
        batches = np.array_split(pictures, -(-len(pictures) // BATCH))
        found: list[Outputs] = [network(torch.from_numpy(batch).permute(0, 3, 1, 2).float()) for batch in batches]
    outputs = {group: torch.cat([getattr(output, group).flatten(0, 1) for output in found]) for group in SCALED_OUTPUTS}
    seen = outputs["detection"][:, 4] > FACE_LOGIT
    if seen.sum() >= FEWEST_FACES:
        outputs = {group: rows[seen] for group, rows in outputs.items()}
    scales = {group: (RANGE_MARGIN * rows.abs().amax(0)).clamp(min=MIN_SCALE) for group, rows in outputs.items()}
    scales["detection"][4] = SCORE_SCALE
    return scales


def divide_outputs(layers: Sequence[nn.Conv2d], scale: Tensor) -> None:
    """Divides the layers' outputs by a scale, in place: their rows are the output's columns, once for each anchor of a
    cell."""
    with torch.no_grad():
        for layer in layers:
            rows = scale.repeat(len(layer.weight) // len(scale))
            layer.weight /= rows.view(-1, *[1] * (layer.weight.ndim - 1))
            if layer.bias is not None:
                layer.bias /= rows
