"""A network as phones run it: normalised pictures in NHWC, and no change of layout between input and outputs.

The converter to TFLite writes convolutions in NHWC by itself. What is left is what a network does to the order of
numbers on purpose: SFN flattens its last maps channel by channel for a linear layer. A convolution as large as the maps
is the same and needs no order; its weights may have a scale a channel in every runtime, which those of linear layers
may not. The heads of MFN end in NHWC anyway, so that nothing has to move there.
"""

import copy
import math

import torch
from torch import Tensor, fx, nn

from training.export.deployed import Deployed
from training.networks.networks import PATCH, Regressor


def convolve_whole_maps(regressor: Regressor) -> None:
    """Puts a convolution in place of a regressor's flattening and first linear layer."""
    maps, flatten, linear, activation = regressor.body
    if not isinstance(flatten, nn.Flatten) or not isinstance(linear, nn.Linear):
        names = ", ".join(type(layer).__name__ for layer in regressor.body)
        raise ValueError(f"a regressor is made of {names}; Sequential, Flatten, Linear and ReLU were expected")
    channels = maps[0].out_channels
    side = math.isqrt(linear.in_features // channels)
    whole = nn.Conv2d(channels, linear.out_features, side)
    with torch.no_grad():
        whole.weight.copy_(linear.weight.view_as(whole.weight))
        whole.bias.copy_(linear.bias)
    regressor.body = nn.Sequential(maps, whole, activation, nn.Flatten())


def without_normalization(network: nn.Module) -> fx.GraphModule:
    """The network from its first layer on, for pictures that are normalised already."""
    traced = fx.symbolic_trace(network)
    (picture,) = (node for node in traced.graph.nodes if node.op == "placeholder")
    first = next(node for node in traced.graph.nodes if node.op == "call_module")
    first.args = (picture,)
    traced.graph.eliminate_dead_code()
    traced.recompile()
    return traced


class ChannelsLast(nn.Module):
    """A deployed network for pictures (1, S, S, 3) float32, (grey level - 128) / 128; outputs by name, float32."""

    def __init__(self, deployed: Deployed) -> None:
        super().__init__()
        network = copy.deepcopy(deployed.network).eval()
        self.side, self.groups = deployed.side, deployed.groups
        self.units = {}
        for group, unit in zip(self.groups, deployed.units, strict=True):
            heads = getattr(network, group)
            if isinstance(heads, Regressor):
                convolve_whole_maps(heads)
            if unit is not None:
                self.units[group] = unit.clone()
        self.network = without_normalization(network)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        quads = image.reshape(1, self.side, self.side // PATCH, 3 * PATCH).permute(0, 3, 1, 2)
        outputs = dict(zip(self.groups, self.network(quads), strict=True))
        return {name: output * self.units[name] if name in self.units else output for name, output in outputs.items()}
