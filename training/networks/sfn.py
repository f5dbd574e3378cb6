"""SFN, which regresses one face from a crop (paper section 4.3, figure 1).

As in the paper, pose comes from the last features, identity and expression from features of several scales; the blocks
are MFN's (training/networks/mfn.py). Shapes in comments are for the default widths.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.networks.layers import Bottleneck, Down, Stem, conv_bn_relu, initialize, normalized, stage
from training.networks.outputs import (
    EXPRESSION_PRIOR,
    EXPRESSIONS,
    GAZE,
    GAZE_PRIOR,
    IDENTITY,
    POSE,
    CropOutputs,
    SingleFaceNetwork,
)


@dataclass(frozen=True, kw_only=True)
class Widths:
    """How wide an SFN is, in channels where nothing else is said.

    stem, fine, middle, coarse: features at strides 4, 8, 16 and 32. blocks: number of bottlenecks at the last three of
    these strides. squeeze: between middle and coarse. fine_branch, middle_branch: what two branches bring of these
    features to the 4 x 4 cells of the coarse ones. cell: what a regressor reads of each of these cells. units,
    expression_units: numbers in a regressor's hidden layer, and in that of the expression's.
    """

    stem: int
    fine: int
    middle: int
    coarse: int
    blocks: tuple[int, int, int]
    squeeze: int
    fine_branch: int
    middle_branch: int
    cell: int
    units: int
    expression_units: int


WIDE = Widths(
    stem=48,
    fine=96,
    middle=144,
    coarse=160,
    blocks=(3, 3, 2),
    squeeze=72,
    fine_branch=48,
    middle_branch=64,
    cell=32,
    units=96,
    expression_units=192,
)
SMALL = Widths(  # the published one up to 0.5.1, but for gaze
    stem=32,
    fine=64,
    middle=104,
    coarse=104,
    blocks=(3, 2, 1),
    squeeze=48,
    fine_branch=32,
    middle_branch=48,
    cell=24,
    units=64,
    expression_units=64,
)


class Regressor(nn.Module):
    """Predicts one group from a 4 x 4 map: 1x1 to `cell` channels, flattened, a hidden layer of `units`, the outputs
    (section 4.3.2).

    The flattened map keeps where on the face a feature was seen, which the paper's global pooling gives up.
    """

    def __init__(self, channels: int, outputs: int, cell: int, units: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_bn_relu(channels, cell), nn.Flatten(), nn.Linear(cell * 4 * 4, units), nn.ReLU(inplace=True)
        )
        self.last = nn.Linear(units, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs) of features (B, channels, 4, 4)."""
        y: Tensor = self.last(self.body(x))
        return y


class SFN(SingleFaceNetwork):
    """Regresses one face from a 128 x 128 crop. The prior is the crop: its centre and 128 x 128 pixels.

    Pose reads the last features; identity, expression and gaze read those of three scales.
    """

    input_size = 128
    input_sizes: tuple[int, ...] = (128,)

    def __init__(self, widths: Widths = WIDE) -> None:
        super().__init__()
        w = widths
        self.stem = Stem(w.stem)
        self.stage3 = stage(w.stem, w.fine, w.blocks[0])
        self.stage4 = stage(w.fine, w.middle, w.blocks[1])
        self.stage5 = nn.Sequential(
            Down(w.middle, w.squeeze, w.coarse), *[Bottleneck(w.coarse) for _ in range(w.blocks[2])]
        )
        fine, middle = w.fine_branch * 3 // 4, w.middle_branch * 2 // 3
        self.branch3 = nn.Sequential(Down(w.fine, fine, w.fine_branch), Down(w.fine_branch, fine, w.fine_branch))
        self.branch4 = Down(w.middle, middle, w.middle_branch)
        multi_scale = self.multi_scale_channels(w)
        self.pose = Regressor(w.coarse, POSE, w.cell, w.units)
        self.identity = Regressor(multi_scale, IDENTITY, w.cell, w.units)
        self.expression = Regressor(multi_scale, EXPRESSIONS, w.cell, w.expression_units)
        self.gaze = Regressor(multi_scale, GAZE, w.cell, w.units)
        initialize(self)
        for regressor in (self.pose, self.identity, self.expression, self.gaze):
            nn.init.normal_(regressor.last.weight, std=0.01)
            nn.init.zeros_(regressor.last.bias)
        nn.init.constant_(self.expression.last.bias, EXPRESSION_PRIOR)
        nn.init.constant_(self.gaze.last.bias, GAZE_PRIOR)

    @staticmethod
    def multi_scale_channels(widths: Widths) -> int:
        """How many channels `multi_scale` gives."""
        return widths.coarse + widths.fine_branch + widths.middle_branch

    def multi_scale(self, c3: Tensor, c4: Tensor, c5: Tensor) -> Tensor:
        """(B, 272, 4, 4): the last features, and those of two finer scales brought down to 4 x 4 cells."""
        return torch.cat([c5, self.branch3(c3), self.branch4(c4)], dim=1)

    def forward(self, crop: Tensor) -> CropOutputs:
        """Raw outputs of crops (B, 3, 128, 128) in 0..255."""
        x = self.stem(normalized(crop))  # (B, 48, 32, 32)
        c3 = self.stage3(x)  # (B, 96, 16, 16)
        c4 = self.stage4(c3)  # (B, 144, 8, 8)
        c5 = self.stage5(c4)  # (B, 160, 4, 4)
        features = self.multi_scale(c3, c4, c5)
        return CropOutputs(
            pose=self.pose(c5),
            identity=self.identity(features),
            expression=self.expression(features),
            gaze=self.gaze(features),
        )
