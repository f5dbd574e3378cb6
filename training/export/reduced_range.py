"""Reduces the range of int8 weights to 7 bits, with which int8 is exact on every processor.

ONNX Runtime calls it reduce_range; here GPTQ chooses the steps.

x86 processors with AVX2 and without VNNI multiply bytes by an instruction (VPMADDUBSW) that adds two neighbouring
products of an activation (u8) and a weight (s8) in 16 bits, and saturates there: of weights up to 127 the sum may be
2 x 255 x 127 = 64,770, which becomes 32,767, and the answer is wrong without a word. With weights up to 64 it is 32,640
at most, whatever the picture.
"""

import numpy as np
import torch
from torch import Tensor, nn

from training.export.gptq import round_by_gptq
from training.export.inference_graph import FACE_LOGIT, SCALED_OUTPUTS, InferenceGraph, output_layers
from training.export.rounding import SIGNIFICANT_BITS

STEPS = np.iinfo(np.int16).max // (2 * np.iinfo(np.uint8).max)  # 64 on each side of 0


def reduce_range(graph: InferenceGraph, pictures: np.ndarray) -> None:
    """Rounds the weights of all convolutions to STEPS steps by GPTQ, in place.

    graph: whose weights have not been rounded. pictures: (N, S, S, 3) uint8.
    """
    multiple = "detection" in graph.groups
    scaled = {group: output_layers(graph.network, group) for group in SCALED_OUTPUTS} if multiple else {}
    scaled_layers = {layer for layers in scaled.values() for layer in layers}

    def sees_faces(batch: np.ndarray) -> Tensor:
        detection: Tensor = graph(torch.from_numpy(batch))[0]
        return detection[..., 4] > FACE_LOGIT

    def forward(batch: np.ndarray) -> None:
        graph(torch.from_numpy(batch))

    for layers in scaled.values():
        round_by_gptq(layers, sees_faces, pictures, STEPS, SIGNIFICANT_BITS)
    others = [layer for layer in graph.modules() if isinstance(layer, nn.Conv2d) and layer not in scaled_layers]
    round_by_gptq(others, forward, pictures, STEPS, SIGNIFICANT_BITS)
