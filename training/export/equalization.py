"""Cross-layer equalization: like ranges for all channels of a layer, which share a scale in 8 bits.

A channel that is divided by a number before a rectifier and multiplied by it in the layers that read it leaves the
function as it is (Nagel et al., "Data-Free Quantization through Weight Equalization and Bias Correction", ICCV 2019).
With the root of its largest value over the largest weight that reads it, both become alike (Xiao et al., "SmoothQuant",
ICML 2023). The layers' own weights lose nothing: each of their rows has a scale of its own.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from training.networks.mfn import MFN, Head

LEAST = 1e-4  # of a largest value or weight: below it a channel is dead
BATCH = 8


def equalize(network: nn.Module, pictures: np.ndarray) -> None:
    """Equalizes a network whose batch normalizations are folded, in place. pictures: (N, S, S, 3) uint8."""
    pairs = list(equalization_pairs(network))
    largest = largest_values(network, [first for first, _ in pairs], pictures)
    with torch.no_grad():
        for (first, readers), value in zip(pairs, largest, strict=True):
            weight = torch.stack([column_maxima(reader) for reader in readers]).amax(0)
            scale = torch.where((value > LEAST) & (weight > LEAST), (value / weight.clamp(min=LEAST)).sqrt(), 1.0)
            first.weight /= scale.view(-1, 1, 1, 1)
            if first.bias is not None:
                first.bias /= scale
            for reader in readers:
                reader.weight *= scale.view(-1, 1, 1, 1) if reader.groups > 1 else scale.view(1, -1, 1, 1)


def equalization_pairs(network: nn.Module) -> Iterator[tuple[nn.Conv2d, list[nn.Conv2d]]]:
    """Rectified convolutions and those that read them, nothing else reading them: neighbours, and what MFN's heads
    share."""
    for layers in network.modules():
        if isinstance(layers, nn.Sequential):
            for first, second in itertools.pairwise(map(rectified_convolution, layers)):
                if first is not None and second is not None:
                    yield first, [second]
    if isinstance(network, MFN):
        for shared, groups in ((network.place, ("detection", "pose")), (network.shape, ("identity", "expression"))):
            heads: list[tuple[Head, ...]] = list(zip(*(getattr(network, group) for group in groups), strict=True))
            for layers, readers in zip(shared, heads, strict=True):
                last = rectified_convolution(layers)
                if last is None and isinstance(layers, nn.Sequential):
                    last = rectified_convolution(layers[-1])
                if last is not None:
                    yield last, [head.last for head in readers]


def rectified_convolution(layers: nn.Module) -> nn.Conv2d | None:
    """The convolution of layers that begin with one and end in ReLU; None of other layers."""
    if isinstance(layers, nn.Sequential) and isinstance(layers[-1], nn.ReLU) and isinstance(layers[0], nn.Conv2d):
        return layers[0]
    return None


def column_maxima(reader: nn.Conv2d) -> Tensor:
    """(C,) the largest weight on each input channel."""
    weights = reader.weight.abs()
    return weights.amax((1, 2, 3)) if reader.groups > 1 else weights.amax((0, 2, 3))


def largest_values(network: nn.Module, layers: list[nn.Conv2d], pictures: np.ndarray) -> list[Tensor]:
    """(C,) of each layer the largest value of each channel on the pictures."""
    largest: dict[nn.Conv2d, Tensor] = {}

    def note(layer: nn.Conv2d, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        value = output.amax((0, 2, 3))
        largest[layer] = torch.maximum(largest[layer], value) if layer in largest else value

    handles = [layer.register_forward_hook(note) for layer in layers]
    with torch.inference_mode():
        for batch in np.array_split(pictures, -(-len(pictures) // BATCH)):
            network(torch.from_numpy(batch).permute(0, 3, 1, 2).float())
    for handle in handles:
        handle.remove()
    return [largest[layer].clone() for layer in layers]
