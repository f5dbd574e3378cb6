"""MFN, which finds every face of a picture in one pass (paper section 4.3, figure 1).

It follows the paper's plan: pose from the last features, identity and expression from features of several scales. The
blocks differ: the first convolution reads patches of 4 x 4 pixels in place of 7 x 7 with 64 filters, and residual
bottlenecks stand for Fire modules. They do more multiply-adds a millisecond, in training and in serving. The paper's
own networks are in training/networks/paper.py. Shapes in comments are for 288 x 288 pixels.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.networks.layers import (
    Bottleneck,
    Down,
    Stem,
    conv_bn_relu,
    depthwise_separable,
    initialize,
    normalized,
    stage,
    upsample,
)
from training.networks.outputs import (
    DETECTION,
    EXPRESSION_PRIOR,
    EXPRESSIONS,
    IDENTITY,
    POSE,
    SCORE_PRIOR,
    Level,
    MultipleFaceNetwork,
    Outputs,
)

Pyramid = tuple[Tensor, Tensor, Tensor]  # features of the three levels, (B, C, H, W) with strides 8, 16 and 32


class Head(nn.Module):
    """Predicts one group at one level: a 1x1 convolution to `outputs` numbers an anchor."""

    def __init__(self, channels: int, anchors: int, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs
        self.last = nn.Conv2d(channels, anchors * outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, h * w * anchors, outputs) of features (B, channels, h, w)."""
        y: Tensor = self.last(x)  # (B, A * outputs, h, w)
        return y.permute(0, 2, 3, 1).reshape(y.shape[0], -1, self.outputs)


class MFN(MultipleFaceNetwork):
    """Finds every face of a picture in one pass: priors lie on grids of 36, 18 and 9 cells a side.

    Detection and pose read the top-down pyramid; identity and expression read it after a bottom-up path has carried
    the finer scales back down (PANet), the counterpart of the multi-scale branches of figure 1. At each level both of
    a pair read one shared layer: `place` for detection and pose, `shape` for identity and expression. Eyes and mouth
    lie beside the cell that predicts the face: where faces are large enough to show them, `shape` is a full 3x3.
    """

    levels: tuple[Level, ...] = (Level(8, ((14, 14),)), Level(16, ((36, 36),)), Level(32, ((110, 110),)))
    input_size = 288
    input_sizes: tuple[int, ...] = (288, 416, 576)  # the more pixels, the smaller the faces that are found

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = 64, 96, 128
        self.stem = Stem(32)
        self.stage3 = stage(32, 64, 2)
        self.stage4 = stage(64, 128, 3)
        self.stage5 = stage(128, 256, 2)
        self.side3, self.side4, self.side5 = (
            conv_bn_relu(64, fine),
            conv_bn_relu(128, middle),
            conv_bn_relu(256, coarse),
        )
        self.drop5, self.drop4 = conv_bn_relu(coarse, middle), conv_bn_relu(middle, fine)
        self.mix4, self.mix3 = Bottleneck(middle), Bottleneck(fine)
        self.up4, self.up5 = Down(fine, 48, middle), Down(middle, 64, coarse)
        self.blend4, self.blend5 = Bottleneck(middle), Bottleneck(coarse)
        widths, shape_widths = (fine, middle, coarse), (fine, 128, 192)
        self.place = nn.ModuleList([depthwise_separable(width) for width in widths])
        self.shape = nn.ModuleList(
            [
                depthwise_separable(fine),
                conv_bn_relu(middle, shape_widths[1], 3),
                conv_bn_relu(coarse, shape_widths[2], 3),
            ]
        )

        def heads(widths: tuple[int, int, int], outputs: int) -> list[Head]:
            return [Head(width, len(level.anchors), outputs) for width, level in zip(widths, self.levels, strict=True)]

        detection, pose = heads(widths, DETECTION), heads(widths, POSE)
        identity, expression = heads(shape_widths, IDENTITY), heads(shape_widths, EXPRESSIONS)
        self.detection, self.pose = nn.ModuleList(detection), nn.ModuleList(pose)
        self.identity, self.expression = nn.ModuleList(identity), nn.ModuleList(expression)
        initialize(self)
        initialize_heads(detection, expression, pose, identity)

    def top_down(self, picture: Tensor) -> Pyramid:
        """The feature pyramid of pictures (B, 3, H, W) in 0..255 (FPN)."""
        x = self.stem(normalized(picture))  # (B, 32, 72, 72)
        c3 = self.stage3(x)  # (B, 64, 36, 36)
        c4 = self.stage4(c3)  # (B, 128, 18, 18)
        c5 = self.stage5(c4)  # (B, 256, 9, 9)
        p5 = self.side5(c5)  # (B, 128, 9, 9)
        p4 = self.mix4(self.side4(c4) + upsample(self.drop5(p5)))  # (B, 96, 18, 18)
        p3 = self.mix3(self.side3(c3) + upsample(self.drop4(p4)))  # (B, 64, 36, 36)
        return p3, p4, p5

    def bottom_up(self, p3: Tensor, p4: Tensor, p5: Tensor) -> Pyramid:
        """The pyramid with the finer levels brought down into the coarser ones (PANet)."""
        n4 = self.blend4(p4 + self.up4(p3))  # (B, 96, 18, 18)
        n5 = self.blend5(p5 + self.up5(n4))  # (B, 128, 9, 9)
        return p3, n4, n5

    def forward(self, picture: Tensor) -> Outputs:
        """Raw outputs of pictures (B, 3, H, W) in 0..255."""
        pyramid = self.top_down(picture)
        place = apply_levelwise(self.place, pyramid)
        shape = apply_levelwise(self.shape, self.bottom_up(*pyramid))
        return Outputs(
            detection=concatenate_heads(self.detection, place),
            pose=concatenate_heads(self.pose, place),
            identity=concatenate_heads(self.identity, shape),
            expression=concatenate_heads(self.expression, shape),
        )


def apply_levelwise(layers: nn.ModuleList, features: Pyramid) -> Pyramid:
    """Each level's layer applied to that level's features."""
    fine, middle, coarse = (layer(feature) for layer, feature in zip(layers, features, strict=True))
    return fine, middle, coarse


def concatenate_heads(heads: nn.ModuleList, features: Pyramid) -> Tensor:
    """(B, N, outputs): each level's head on that level's features, levels in order."""
    return torch.cat([head(feature) for head, feature in zip(heads, features, strict=True)], dim=1)


def initialize_heads(
    detection: Sequence[Head], expression: Sequence[Head], pose: Sequence[Head], identity: Sequence[Head]
) -> None:
    """Starts the last layers near zero: no face anywhere, and where one is, the prior's box, the mean face,
    unturned."""
    for head in (*detection, *expression, *pose, *identity):
        nn.init.normal_(head.last.weight, std=0.01)
        if head.last.bias is not None:
            nn.init.zeros_(head.last.bias)
    for head in expression:
        if head.last.bias is not None:
            nn.init.constant_(head.last.bias, EXPRESSION_PRIOR)
    for head in detection:
        if head.last.bias is not None:
            head.last.bias.data.view(-1, DETECTION)[:, 4] = SCORE_PRIOR
