"""A network as mobile runtimes run it: normalized pictures in NHWC, and no change of layout between input and outputs.

The converter to TFLite writes convolutions in NHWC by itself. What is left is what a network does to the order of
numbers on purpose: SFN flattens its last maps channel by channel for a linear layer. A convolution as large as the maps
is the same and needs no order; its weights may have a scale a channel in every runtime, which those of linear layers
may not. The heads of MFN end in NHWC anyway, so that nothing has to move there.
"""

import copy
import math

import torch
from torch import Tensor, fx, nn

from training.export.inference_graph import InferenceGraph
from training.networks.layers import PATCH
from training.networks.sfn import Regressor


def convolve_whole_maps(regressor: Regressor) -> None:
    """Puts a convolution in place of a regressor's flattening and first linear layer."""
    layers = list(regressor.body)
    maps, flatten, linear, activation = layers if len(layers) == 4 else (None, None, None, nn.Identity())
    reduction = maps[0] if isinstance(maps, nn.Sequential) else None
    if not (isinstance(reduction, nn.Conv2d) and isinstance(flatten, nn.Flatten) and isinstance(linear, nn.Linear)):
        names = ", ".join(type(layer).__name__ for layer in layers)
        raise ValueError(f"a regressor is made of {names}; Sequential, Flatten, Linear and ReLU were expected")
    channels = reduction.out_channels
    side = math.isqrt(linear.in_features // channels)
    whole = nn.Conv2d(channels, linear.out_features, side)
    with torch.no_grad():
        whole.weight.copy_(linear.weight.view_as(whole.weight))
        if whole.bias is not None:
            whole.bias.copy_(linear.bias)
    regressor.body = nn.Sequential(layers[0], whole, activation, nn.Flatten())


def without_normalization(network: nn.Module) -> fx.GraphModule:
    """The network from its first layer on, for pictures that are normalized already."""
    traced = fx.symbolic_trace(network)
    (picture,) = (node for node in traced.graph.nodes if node.op == "placeholder")
    first = next(node for node in traced.graph.nodes if node.op == "call_module")
    first.args = (picture,)
    traced.graph.eliminate_dead_code()
    traced.recompile()
    return traced


class ChannelsLast(nn.Module):
    """An inference graph for pictures (1, S, S, 3) float32, (grey level - 128) / 128; outputs by name, float32."""

    def __init__(self, graph: InferenceGraph) -> None:
        super().__init__()
        network = copy.deepcopy(graph.network).eval()
        self.side, self.groups = graph.side, graph.groups
        self.output_scales: dict[str, Tensor] = {}
        for group, scale in zip(self.groups, graph.output_scales, strict=True):
            heads = getattr(network, group)
            if isinstance(heads, Regressor):
                convolve_whole_maps(heads)
            if scale is not None:
                self.output_scales[group] = scale.clone()
        self.network = without_normalization(network)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """The outputs by name, float32."""
        quads = image.reshape(1, self.side, self.side // PATCH, 3 * PATCH).permute(0, 3, 1, 2)
        outputs = dict(zip(self.groups, self.network(quads), strict=True))
        scales = self.output_scales
        return {name: output * scales[name] if name in scales else output for name, output in outputs.items()}
