"""The two networks: SFN looks at one cropped face, MFN at a whole picture (paper section 4.3, figure 1).

Both follow the paper's plan: pose from the last features, identity and expression from features of several scales. The
default blocks differ from it: the first convolution reads patches of 4 x 4 pixels in place of 7 x 7 with 64 filters,
and residual bottlenecks stand for Fire modules. They do more multiply-adds a millisecond, in training and in serving.
The paper's own networks stand in training/networks/paper.py.

Both take pictures as (B, 3, H, W) float in 0..255 and return raw outputs, which training/networks/decoding.py and
service/vision/decoding.py turn into faces. Shapes in comments are for MFN at 288 x 288 and SFN at 128 x 128.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

EXPRESSION_PRIOR = -2.4  # logit of 0.08, the mean over coefficients and faces
GAZE_PRIOR = -1.8  # logit of 0.14, the mean over the eight and faces
EXPRESSIONS, IDENTITY, POSE, DETECTION, GAZE = 46, 50, 7, 5, 8
COLUMNS = {"detection": DETECTION, "pose": POSE, "identity": IDENTITY, "expression": EXPRESSIONS, "gaze": GAZE}
ZERO_LEVEL = 128.0  # grey level that the networks see as 0
PATCH = 4  # pixels
SCORE_PRIOR = -4.6  # logit of a score of 0.01: nearly every prior is background (Lin et al., "Focal Loss", section 3.3)
Pyramid = tuple[Tensor, Tensor, Tensor]  # features of the three levels, (B, C, H, W) with strides 8, 16 and 32


class Level(NamedTuple):
    """One grid of priors: cells of `stride` pixels with `anchors` (width, height) in pixels each."""

    stride: int
    anchors: tuple[tuple[float, float], ...]


class Outputs(NamedTuple):
    """Raw, of N priors: detection (B, N, 5), pose (B, N, 7), identity (B, N, 50), expression (B, N, 46) logits."""

    detection: Tensor
    pose: Tensor
    identity: Tensor
    expression: Tensor


class CropOutputs(NamedTuple):
    """Raw, of B crops: pose (B, 7), identity (B, 50), expression (B, 46) logits, gaze (B, 8) logits in the order of
    service.vision.gaze.GAZE_NAMES."""

    pose: Tensor
    identity: Tensor
    expression: Tensor
    gaze: Tensor


def conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Bottleneck(nn.Module):
    """x + 3x3(1x1(x)), half the channels between (the residual block of Darknet-53)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(channels, channels // 2), conv(channels // 2, channels, 3))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Down(nn.Module):
    """Half the resolution through a squeeze: 1x1 to `squeeze` channels, then 3x3 with stride 2."""

    def __init__(self, inputs: int, squeeze: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(inputs, squeeze), conv(squeeze, outputs, 3, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(conv(inputs, outputs, 3, 2), *[Bottleneck(outputs) for _ in range(blocks)])


def normalized(picture: Tensor) -> Tensor:
    """0..255 to -1..1. In int8 it costs nothing: bytes are numbers of scale 1/128 and zero point 128."""
    return (picture - ZERO_LEVEL) * (1 / ZERO_LEVEL)


class Stem(nn.Module):
    """The picture at a quarter of its resolution: patches of 4 x 4 pixels, then a bottleneck.

    Four neighbouring pixels lie side by side in memory, so that the first convolution needs no gathering; with two
    strided 3 x 3 convolutions a fifth of the whole network's time in int8 went into the first of them.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.patches = nn.Sequential(
            nn.Conv2d(3, outputs, PATCH, PATCH, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
        )
        self.block = Bottleneck(outputs)

    def forward(self, picture: Tensor) -> Tensor:
        return self.block(self.patches(picture))


def input_sizes(network: nn.Module) -> tuple[int, ...]:
    """The sides in pixels of the square inputs that a network is published for, the one it is trained at first."""
    return getattr(network, "input_sizes", (network.input_size,))


def initialize(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def separable(channels: int) -> nn.Sequential:
    """A depthwise 3x3, then 1x1."""
    return nn.Sequential(conv(channels, channels, 3, groups=channels), conv(channels, channels))


class Head(nn.Module):
    """One group's outputs at one level: a 1x1 to `outputs` numbers an anchor."""

    def __init__(self, channels: int, anchors: int, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs
        self.last = nn.Conv2d(channels, anchors * outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.last(x)  # (B, A * outputs, h, w)
        return y.permute(0, 2, 3, 1).reshape(y.shape[0], -1, self.outputs)  # (B, h * w * A, outputs)


class MFN(nn.Module):
    """Every face of a picture in one pass: priors on grids of 36, 18 and 9 cells a side.

    Detection and pose read the top-down pyramid; identity and expression read it after a bottom-up path has carried
    the finer scales back down, the counterpart of the multi-scale branches of figure 1. One look at each level
    serves both, and one at the pyramid serves detection and pose. Eyes and mouth lie beside the cell that answers:
    where faces are large enough to show them, the look for the shape is a full 3x3.
    """

    levels = (Level(8, ((14, 14),)), Level(16, ((36, 36),)), Level(32, ((110, 110),)))
    input_size = 288
    input_sizes = (288, 416, 576)  # that are published: the more pixels, the smaller the faces that are found

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = 64, 96, 128
        self.stem = Stem(32)
        self.stage3 = stage(32, 64, 2)
        self.stage4 = stage(64, 128, 3)
        self.stage5 = stage(128, 256, 2)
        self.side3, self.side4, self.side5 = conv(64, fine), conv(128, middle), conv(256, coarse)
        self.drop5, self.drop4 = conv(coarse, middle), conv(middle, fine)
        self.mix4, self.mix3 = Bottleneck(middle), Bottleneck(fine)
        self.up4, self.up5 = Down(fine, 48, middle), Down(middle, 64, coarse)
        self.blend4, self.blend5 = Bottleneck(middle), Bottleneck(coarse)
        widths, shape_widths = (fine, middle, coarse), (fine, 128, 192)
        self.place = nn.ModuleList([separable(width) for width in widths])
        self.shape = nn.ModuleList(
            [separable(fine), conv(middle, shape_widths[1], 3), conv(coarse, shape_widths[2], 3)]
        )

        def heads(widths: tuple[int, int, int], outputs: int) -> nn.ModuleList:
            return nn.ModuleList(
                Head(width, len(level.anchors), outputs) for width, level in zip(widths, self.levels, strict=True)
            )

        self.detection, self.pose = heads(widths, DETECTION), heads(widths, POSE)
        self.identity, self.expression = heads(shape_widths, IDENTITY), heads(shape_widths, EXPRESSIONS)
        initialize(self)
        finish_heads(self.detection, self.expression, self.pose, self.identity)

    def top_down(self, picture: Tensor) -> Pyramid:
        x = self.stem(normalized(picture))  # (B, 32, 72, 72)
        c3 = self.stage3(x)  # (B, 64, 36, 36)
        c4 = self.stage4(c3)  # (B, 128, 18, 18)
        c5 = self.stage5(c4)  # (B, 256, 9, 9)
        p5 = self.side5(c5)  # (B, 128, 9, 9)
        p4 = self.mix4(self.side4(c4) + double(self.drop5(p5)))  # (B, 96, 18, 18)
        p3 = self.mix3(self.side3(c3) + double(self.drop4(p4)))  # (B, 64, 36, 36)
        return p3, p4, p5

    def bottom_up(self, p3: Tensor, p4: Tensor, p5: Tensor) -> Pyramid:
        n4 = self.blend4(p4 + self.up4(p3))  # (B, 96, 18, 18)
        n5 = self.blend5(p5 + self.up5(n4))  # (B, 128, 9, 9)
        return p3, n4, n5

    def forward(self, picture: Tensor) -> Outputs:
        pyramid = self.top_down(picture)
        place = look(self.place, pyramid)
        shape = look(self.shape, self.bottom_up(*pyramid))
        return Outputs(
            detection=read(self.detection, place),
            pose=read(self.pose, place),
            identity=read(self.identity, shape),
            expression=read(self.expression, shape),
        )


def look(layers: nn.ModuleList, features: Pyramid) -> Pyramid:
    """Each level's layer on that level's features."""
    fine, middle, coarse = (layer(feature) for layer, feature in zip(layers, features, strict=True))
    return fine, middle, coarse


def read(heads: nn.ModuleList, features: Pyramid) -> Tensor:
    """(B, N, outputs) of one group: each level's head on that level's features, levels in order."""
    return torch.cat([head(feature) for head, feature in zip(heads, features, strict=True)], dim=1)


def double(x: Tensor) -> Tensor:
    return nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")


def finish_heads(detection: nn.ModuleList, expression: nn.ModuleList, *others: nn.ModuleList) -> None:
    """Last layers start near zero: no face anywhere, and where one is, the prior's box, mean face, no rotation."""
    for heads in (detection, expression, *others):
        for head in heads:
            nn.init.normal_(head.last.weight, std=0.01)
            nn.init.zeros_(head.last.bias)
    for head in expression:
        nn.init.constant_(head.last.bias, EXPRESSION_PRIOR)
    for head in detection:
        head.last.bias.data.view(-1, DETECTION)[:, 4] = SCORE_PRIOR


@dataclass(frozen=True, kw_only=True)
class Widths:
    """Of an SFN, in channels where nothing else is said.

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
    """One group's numbers from a 4 x 4 map: 1x1 to `cell` channels, flattened, a hidden layer of `units`, the outputs
    (section 4.3.2).

    The flattened map keeps where on the face a feature was seen, which the paper's global pooling gives up.
    """

    def __init__(self, channels: int, outputs: int, cell: int, units: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(channels, cell), nn.Flatten(), nn.Linear(cell * 4 * 4, units), nn.ReLU(inplace=True)
        )
        self.last = nn.Linear(units, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.body(x))


class SFN(nn.Module):
    """One face from a 128 x 128 crop. The prior is the crop: its centre and 128 x 128 pixels.

    Pose reads the last features; identity, expression and gaze read those of three scales.
    """

    input_size = 128

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
        read = self.read_width(w)
        self.pose = Regressor(w.coarse, POSE, w.cell, w.units)
        self.identity = Regressor(read, IDENTITY, w.cell, w.units)
        self.expression = Regressor(read, EXPRESSIONS, w.cell, w.expression_units)
        self.gaze = Regressor(read, GAZE, w.cell, w.units)
        initialize(self)
        for regressor in (self.pose, self.identity, self.expression, self.gaze):
            nn.init.normal_(regressor.last.weight, std=0.01)
            nn.init.zeros_(regressor.last.bias)
        nn.init.constant_(self.expression.last.bias, EXPRESSION_PRIOR)
        nn.init.constant_(self.gaze.last.bias, GAZE_PRIOR)

    @staticmethod
    def read_width(widths: Widths) -> int:
        """Channels of what `scales` gives."""
        return widths.coarse + widths.fine_branch + widths.middle_branch

    def scales(self, c3: Tensor, c4: Tensor, c5: Tensor) -> Tensor:
        return torch.cat([c5, self.branch3(c3), self.branch4(c4)], dim=1)  # (B, 272, 4, 4)

    def forward(self, crop: Tensor) -> CropOutputs:
        x = self.stem(normalized(crop))  # (B, 48, 32, 32)
        c3 = self.stage3(x)  # (B, 96, 16, 16)
        c4 = self.stage4(c3)  # (B, 144, 8, 8)
        c5 = self.stage5(c4)  # (B, 160, 4, 4)
        scales = self.scales(c3, c4, c5)
        return CropOutputs(
            pose=self.pose(c5),
            identity=self.identity(scales),
            expression=self.expression(scales),
            gaze=self.gaze(scales),
        )
