"""The paper's own networks (section 4.3, figure 1) as far as it describes them: variants `paper-sfn` and `paper-mfn`.

A 7 x 7 convolution with 64 filters and stride 2, 2 x 2 max pooling, Fire modules (SqueezeNet) with squeeze-and-excite
blocks, stride-2 Fire modules at half the channels as branches. The paper gives no table of layers; the depths here
bring the sizes to its 13 MB and 2 MB. It has no gaze: `paper-sfn` says what an untrained SFN says of it, so that it
exports and is measured alike.
"""

import torch
from torch import Tensor, nn

from training.networks.layers import conv_bn_relu, initialize, normalized
from training.networks.outputs import (
    DETECTION,
    EXPRESSIONS,
    GAZE,
    GAZE_PRIOR,
    IDENTITY,
    POSE,
    SCORE_PRIOR,
    CropOutputs,
    Level,
    MultipleFaceNetwork,
    Outputs,
    SingleFaceNetwork,
)


class Fire(nn.Module):
    """Squeezes to few channels, expands with 1 x 1 and 3 x 3 side by side, then squeeze-and-excites (Hu et al.,
    2018)."""

    def __init__(self, inputs: int, squeeze: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.squeeze = conv_bn_relu(inputs, squeeze)
        self.expand1 = conv_bn_relu(squeeze, outputs // 2, 1, stride)
        self.expand3 = conv_bn_relu(squeeze, outputs // 2, 3, stride)
        self.excite = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(outputs, outputs // 16, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs // 16, outputs, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs, H / stride, W / stride) of (B, inputs, H, W)."""
        squeezed = self.squeeze(x)
        y = torch.cat([self.expand1(squeezed), self.expand3(squeezed)], dim=1)
        gates: Tensor = self.excite(y)
        return y * gates


class Trunk(nn.Module):
    """Computes features of three scales: a quarter of the input's resolution divided by 2, 4 and 8."""

    def __init__(self, widths: tuple[int, int, int], squeezes: tuple[int, int, int]) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_bn_relu(3, 64, 7, 2), nn.MaxPool2d(2))
        inputs = 64
        stages = []
        for width, squeeze in zip(widths, squeezes, strict=True):
            stages.append(nn.Sequential(nn.MaxPool2d(2), Fire(inputs, squeeze, width), Fire(width, squeeze, width)))
            inputs = width
        self.stages = nn.ModuleList(stages)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """(B, width, h, w) of each scale, of pictures (B, 3, H, W) in 0..255."""
        x = self.stem(normalized(picture))
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class Branch(nn.Module):
    """Brings the finer scales down to the last one with stride-2 Fire modules at half the channels and joins them."""

    def __init__(self, widths: tuple[int, int, int], squeezes: tuple[int, int, int]) -> None:
        super().__init__()
        first, second, last = widths
        self.down1 = Fire(first, squeezes[0], first // 2, 2)
        self.down2 = Fire(first // 2 + second, squeezes[1], second // 2, 2)
        self.outputs = second // 2 + last

    def forward(self, features: list[Tensor]) -> Tensor:
        """(B, outputs, h, w) at the last scale."""
        first, second, last = features
        x = torch.cat([self.down1(first), second], dim=1)
        return torch.cat([self.down2(x), last], dim=1)


def final(inputs: int, outputs: int) -> nn.Sequential:
    """Global average pooling and two fully connected layers, 64 units between."""
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 64), nn.ReLU(inplace=True), nn.Linear(64, outputs)
    )


def initialize_output(layer: nn.Module) -> None:
    """Starts a group's last layer near zero."""
    for name, parameter in layer.named_parameters():
        if name == "weight":
            nn.init.normal_(parameter, std=0.01)
        else:
            nn.init.zeros_(parameter)


class PaperSFN(SingleFaceNetwork):
    """The paper's single face network: 128 x 128 pixels in."""

    input_size, input_sizes = 128, (128,)

    def __init__(self) -> None:
        super().__init__()
        widths, squeezes = (128, 192, 256), (16, 32, 48)
        self.trunk = Trunk(widths, squeezes)
        self.identity_branch, self.expression_branch = Branch(widths, squeezes), Branch(widths, squeezes)
        self.pose = final(widths[-1], POSE)
        self.identity = final(self.identity_branch.outputs, IDENTITY)
        self.expression = final(self.expression_branch.outputs, EXPRESSIONS)
        initialize(self)
        for group in (self.pose, self.identity, self.expression):
            initialize_output(group[-1])

    def forward(self, crop: Tensor) -> CropOutputs:
        """Raw outputs of crops (B, 3, 128, 128) in 0..255."""
        features = self.trunk(crop)
        pose = self.pose(features[-1])
        return CropOutputs(
            pose=pose,
            identity=self.identity(self.identity_branch(features)),
            expression=self.expression(self.expression_branch(features)),
            gaze=pose.new_full((pose.shape[0], GAZE), GAZE_PRIOR),
        )


class PaperMFN(MultipleFaceNetwork):
    """The paper's multiple face network: 288 x 288 pixels in, 9 x 9 cells of 5 anchors out."""

    levels = (Level(32, ((11, 13), (18, 21), (27, 30), (38, 40), (55, 60))),)
    input_size, input_sizes = 288, (288,)

    def __init__(self) -> None:
        super().__init__()
        widths, squeezes = (128, 256, 512), (32, 64, 96)
        self.trunk = Trunk(widths, squeezes)
        self.identity_branch, self.expression_branch = Branch(widths, squeezes), Branch(widths, squeezes)
        anchors = len(self.levels[0].anchors)

        def head(inputs: int, outputs: int) -> nn.Sequential:
            return nn.Sequential(Fire(inputs, 64, 256), nn.Conv2d(256, anchors * outputs, 1))

        self.detection, self.pose = head(widths[-1], DETECTION), head(widths[-1], POSE)
        self.identity = head(self.identity_branch.outputs, IDENTITY)
        self.expression = head(self.expression_branch.outputs, EXPRESSIONS)
        initialize(self)
        for group in (self.detection, self.pose, self.identity, self.expression):
            initialize_output(group[-1])
        bias = dict(self.detection[-1].named_parameters())["bias"]
        bias.data.view(-1, DETECTION)[:, 4] = SCORE_PRIOR

    def forward(self, picture: Tensor) -> Outputs:
        """Raw outputs of pictures (B, 3, 288, 288) in 0..255."""
        features = self.trunk(picture)  # (B, 128, 36, 36), (B, 256, 18, 18), (B, 512, 9, 9)

        def cells(y: Tensor, outputs: int) -> Tensor:
            return y.permute(0, 2, 3, 1).reshape(len(y), -1, outputs)

        return Outputs(
            detection=cells(self.detection(features[-1]), DETECTION),
            pose=cells(self.pose(features[-1]), POSE),
            identity=cells(self.identity(self.identity_branch(features)), IDENTITY),
            expression=cells(self.expression(self.expression_branch(features)), EXPRESSIONS),
        )
