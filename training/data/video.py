"""What moving cameras and video do to pictures, as augmentation: blur along a line, compression in blocks.

All pictures of a batch at once, on any device; (B, 3, H, W) 0..255 in and out, also changed in place.
"""

import functools
import math

import torch
from torch import Tensor
from torch.nn import functional

from training.data.augment import picked, uniform
from training.networks.constants import constant

LENGTHS = (1.0, 9.0)  # pixels of the line
KERNEL = 11  # pixels; holds a line of the greatest length in any direction
POSITIONS = 33  # of the camera along the line
QUALITIES = (15.0, 70.0)  # of the compression, as JPEG counts it: 100 is best
BLOCK = 8  # pixels
# ITU-T T.81 (JPEG), annex K, tables K.1 and K.2: steps of luma and chroma at quality 50
LUMA = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMA = (17, 18, 24, 47, 18, 21, 26, 66, 24, 26, 56, 99, 47, 66, 99, 99)  # the upper left 4 x 4; the rest is 99
COLOURS = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))  # Y Cb Cr of RGB, JFIF


def line_kernels(length: Tensor, angle: Tensor) -> Tensor:
    """(N, KERNEL, KERNEL) weights, each of sum 1: the mean over a line of `length` (N,) pixels through the middle.

    angle: (N,) radians from the x axis. Positions between pixels count for their neighbours as bilinear sampling would.
    """
    along = torch.linspace(-0.5, 0.5, POSITIONS, device=length.device) * length[:, None]  # (N, P)
    cells = torch.arange(KERNEL, device=length.device) - KERNEL // 2
    x = (1 - (along * torch.cos(angle)[:, None] - cells[:, None, None]).abs()).clamp(min=0)  # (K, N, P)
    y = (1 - (along * torch.sin(angle)[:, None] - cells[:, None, None]).abs()).clamp(min=0)
    return torch.einsum("ynp,xnp->nyx", y, x) / POSITIONS


def blur_along_line(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A share of the pictures is blurred as by a steady motion, in any direction, over LENGTHS."""
    chosen = picked(len(images), share, generator)
    n = len(chosen)
    if not n:
        return images
    kernels = line_kernels(uniform(n, *LENGTHS, generator), uniform(n, 0, math.pi, generator))
    margin = KERNEL // 2
    source = functional.pad(images[chosen], (margin, margin, margin, margin), mode="replicate")
    height, width = source.shape[2:]
    # one group a channel of a picture: each has its own kernel
    weights = kernels.repeat_interleave(3, 0)[:, None]
    blurred = functional.conv2d(source.view(1, 3 * n, height, width), weights, groups=3 * n)
    images[chosen] = blurred.view(n, 3, height - 2 * margin, width - 2 * margin)
    return images


def steps_of_quality(quality: Tensor) -> Tensor:
    """(N, 3, 8, 8) steps that the coefficients of Y, Cb and Cr are rounded to at a quality (N,) of 1 to 100.

    The tables' scale is that of the Independent JPEG Group's library.
    """
    luma = constant(LUMA, quality.device).view(BLOCK, BLOCK)
    chroma = torch.full((BLOCK, BLOCK), 99, device=quality.device)
    chroma[:4, :4] = constant(CHROMA, quality.device).view(4, 4)
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    scaled = torch.stack([luma, chroma, chroma]) * scale[:, None, None, None]
    return ((scaled + 50) / 100).floor().clamp(1, 255)


@functools.cache
def block_transforms(device: torch.device) -> tuple[Tensor, Tensor]:
    """(192, 192) from a block's pixels, less 128, to its cosine coefficients of Y, Cb and Cr, and back."""
    k = torch.arange(BLOCK, dtype=torch.float64)
    cosines = torch.cos((2 * k + 1) * k[:, None] * math.pi / (2 * BLOCK)) / 2  # rows are frequencies
    cosines[0] /= math.sqrt(2)
    forward = torch.kron(torch.tensor(COLOURS, dtype=torch.float64), torch.kron(cosines, cosines))
    return forward.float().to(device), torch.linalg.inv(forward).float().to(device)


def quantized(images: Tensor, quality: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) after their blocks' cosine transforms were rounded, at a quality (N,) of 1 to 100.

    This is JPEG without subsampled chroma; a video's single frames lose detail in the same way. H and W are multiples
    of 8, else ValueError.
    """
    n, _, height, width = images.shape
    if height % BLOCK or width % BLOCK:
        raise ValueError(f"pictures of {width} x {height} pixels do not divide into blocks of {BLOCK}")
    forward, inverse = block_transforms(images.device)
    split = (n, 3, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    blocks = (images - 128).reshape(split).permute(0, 2, 4, 1, 3, 5).reshape(n, -1, len(forward))
    steps = steps_of_quality(quality).view(n, 1, -1)
    rounded = (blocks @ forward.T).div_(steps).round_().mul_(steps)
    restored = (rounded @ inverse.T).reshape(n, split[2], split[4], 3, BLOCK, BLOCK).permute(0, 3, 1, 4, 2, 5)
    return (restored.reshape(images.shape) + 128).clamp_(0, 255)


def compress(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A share of the pictures is compressed, each at a quality within QUALITIES."""
    chosen = picked(len(images), share, generator)
    if len(chosen):
        images[chosen] = quantized(images[chosen], uniform(len(chosen), *QUALITIES, generator))
    return images
