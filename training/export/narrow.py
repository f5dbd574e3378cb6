"""Weights of 7 bits, with which int8 is exact on every processor.

x86 processors with AVX2 and without VNNI multiply bytes by an instruction (VPMADDUBSW) that adds two neighbouring
products of an activation (u8) and a weight (s8) in 16 bits, and saturates there: of weights up to 127 the sum may be
2 x 255 x 127 = 64,770, which becomes 32,767, and the answer is wrong without a word. With weights up to 64 it is 32,640
at most, whatever the picture.
"""

import numpy as np
import torch
from torch import Tensor, nn

from training.export.compensation import compensate
from training.export.deployed import EQUALIZED, FACE_LOGIT, Deployed, last_layers
from training.export.rounding import SIGNIFICANT_BITS

STEPS = np.iinfo(np.int16).max // (2 * np.iinfo(np.uint8).max)  # 64 on each side of 0


def narrow(deployed: Deployed, pictures: np.ndarray) -> None:
    """Rounds the weights of all convolutions to STEPS steps, in place, so that the errors make up for each other.

    deployed: whose weights have not been rounded. pictures: (N, S, S, 3) uint8.
    """
    multiple = "detection" in deployed.groups
    placing = {group: last_layers(deployed.network, group) for group in EQUALIZED} if multiple else {}
    placed = {layer for layers in placing.values() for layer in layers}

    def sees_faces(batch: np.ndarray) -> Tensor:
        detection, *_ = deployed(torch.from_numpy(batch))
        return detection[..., 4] > FACE_LOGIT

    def look(batch: np.ndarray) -> None:
        deployed(torch.from_numpy(batch))

    for layers in placing.values():
        compensate(layers, sees_faces, pictures, STEPS, SIGNIFICANT_BITS)
    others = [layer for layer in deployed.modules() if isinstance(layer, nn.Conv2d) and layer not in placed]
    compensate(others, look, pictures, STEPS, SIGNIFICANT_BITS)
