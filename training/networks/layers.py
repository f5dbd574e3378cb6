"""Layers that both networks are made of. Every convolution is followed by batch normalization and ReLU."""

from torch import Tensor, nn

ZERO_LEVEL = 128.0  # grey level that the networks see as 0
PATCH = 4  # pixels


def conv_bn_relu(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution that keeps the resolution but for its stride, batch normalization and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Bottleneck(nn.Module):
    """A residual block, x + 3x3(1x1(x)), with half the channels between (Darknet-53)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_bn_relu(channels, channels // 2), conv_bn_relu(channels // 2, channels, 3))

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) of the same shape."""
        residual: Tensor = self.body(x)
        return x + residual


class Down(nn.Module):
    """Halves the resolution through a squeeze: 1x1 to `squeeze` channels, then 3x3 with stride 2."""

    def __init__(self, inputs: int, squeeze: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_bn_relu(inputs, squeeze), conv_bn_relu(squeeze, outputs, 3, 2))

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs, H / 2, W / 2) of (B, inputs, H, W)."""
        y: Tensor = self.body(x)
        return y


def stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    """A convolution with stride 2, then so many bottlenecks."""
    return nn.Sequential(conv_bn_relu(inputs, outputs, 3, 2), *[Bottleneck(outputs) for _ in range(blocks)])


def normalized(picture: Tensor) -> Tensor:
    """Pictures of 0..255 as -1..1. In int8 it costs nothing: bytes are numbers of scale 1/128 and zero point 128."""
    return (picture - ZERO_LEVEL) * (1 / ZERO_LEVEL)


class Stem(nn.Module):
    """Brings pictures to a quarter of their resolution: patches of 4 x 4 pixels, then a bottleneck.

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
        """(B, outputs, H / 4, W / 4) of normalized pictures (B, 3, H, W)."""
        y: Tensor = self.block(self.patches(picture))
        return y


def depthwise_separable(channels: int) -> nn.Sequential:
    """A depthwise 3x3 convolution, then a 1x1 (MobileNet)."""
    return nn.Sequential(conv_bn_relu(channels, channels, 3, groups=channels), conv_bn_relu(channels, channels))


def upsample(x: Tensor) -> Tensor:
    """Features (B, C, H, W) at twice the resolution, by nearest neighbours."""
    return nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")


def initialize(network: nn.Module) -> None:
    """Draws the weights of all convolutions for layers that end in ReLU (He et al., 2015); their biases are 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
