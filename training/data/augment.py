"""Augmentation on the device that trains: sampling of pixels, colours, lost detail (paper section 4.3.1).

Nothing runs over single pictures: what differs from picture to picture is a tensor, or a few groups of equal size. The
share of a batch that a change takes is the same number of pictures each time, so that shapes do not change with the
step. Blur by motion and compression are in training/data/video.py.
"""

import torch
from torch import Tensor
from torch.nn import functional

from training.data.faces import Similarity
from training.networks.constants import constant

MOST_TILT = 0.9  # radians
CHUNK = {"cpu": 8, "cuda": 512}  # pictures whose float copies are held at once: few fit a processor's cache
SOFT_SIZES = 8  # sizes among the pictures of a batch that lose detail
MOST_NOISE = 12.0  # levels of 255, standard deviation, of half of them


def uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """(n,) on the generator's device."""
    return torch.rand(n, generator=generator, device=generator.device) * (high - low) + low


def picked(n: int, share: float, generator: torch.Generator) -> Tensor:
    """(round(n * share),) different indices below n, in any order, on the generator's device."""
    return torch.randperm(n, generator=generator, device=generator.device)[: round(n * share)]


def random_tilt(n: int, spread: float, generator: torch.Generator) -> Tensor:
    """(n,) in-plane angles, radians, normal with `spread` and cut at 50 degrees."""
    return (torch.randn(n, generator=generator, device=generator.device) * spread).clamp(-MOST_TILT, MOST_TILT)


def sample(images: Tensor, transform: Similarity, size: int, pad: float = 114.0) -> Tensor:
    """Pixels (B, 3, size, size) float 0..255 of pictures (B, H, W, 3) uint8 under transforms picture -> output.

    Bilinear. Where a picture shrinks to less than 0.7 it is averaged over 2 x 2 pixels first, below 0.35 over 4 x 4, so
    that little aliases; serving shrinks with an area filter.
    """
    height, width = images.shape[1:3]
    inverse = torch.linalg.inv_ex(transform.linear())[0]  # (B, 2, 2); inv would wait for the device
    offset = -(inverse @ transform.shift[..., None])[..., 0]
    # grid_sample counts -1..1 from edge to edge: in = inverse @ out + offset, out = (size / 2)(n + 1)
    half_in = constant((width / 2, height / 2), images.device)
    linear = inverse * (size / 2) / half_in[:, None]
    translation = ((inverse.sum(-1) * (size / 2) + offset) / half_in - 1)[..., None]
    to_input = torch.cat([linear, translation], -1)  # (B, 2, 3)
    output = torch.empty(len(images), 3, size, size, device=images.device)
    scale = transform.scale.cpu()  # the device is waited for once, not for each factor
    factors = torch.where(scale < 0.35, 4, torch.where(scale < 0.7, 2, 1))
    for factor in (1, 2, 4):
        alike = (factors == factor).nonzero()[:, 0].to(images.device)
        for chosen in torch.split(alike, CHUNK[images.device.type]):
            if not len(chosen):
                continue
            source = images[chosen].permute(0, 3, 1, 2).float()
            if factor > 1:
                source = functional.avg_pool2d(source, factor)
            grid = functional.affine_grid(to_input[chosen], [len(chosen), 3, size, size], align_corners=False)
            pixels = functional.grid_sample(source, grid, padding_mode="border", align_corners=False)
            output[chosen] = pixels.masked_fill_((grid.abs().amax(-1) > 1)[:, None], pad)
    return output


def recolour(images: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Brightness, contrast, saturation, colour cast, now and then grey; (B, 3, H, W) 0..255 in and out."""
    n = len(images)

    def each(low: float, high: float) -> Tensor:
        return uniform(n, low * strength, high * strength, generator)[:, None, None, None]

    grey = (images * constant((0.299, 0.587, 0.114), images.device)[:, None, None]).sum(1, keepdim=True)
    saturation = 1 + each(-0.5, 0.5)
    saturation = torch.where(uniform(n, 0, 1, generator)[:, None, None, None] < 0.08 * strength, 0.0, saturation)
    images = grey + (images - grey) * saturation
    cast = 1 + (torch.rand(n, 3, 1, 1, generator=generator, device=generator.device) - 0.5) * 0.24 * strength
    mean = images.mean((1, 2, 3), keepdim=True)
    images = ((images - mean) * (1 + each(-0.4, 0.4)) + mean * (1 + each(-0.4, 0.35))) * cast
    return images.clamp(0, 255)


def degrade(
    images: Tensor, share: float, smallest: float, generator: torch.Generator, host: torch.Generator | None = None
) -> Tensor:
    """A share of the pictures loses detail: shrunk to `smallest`..1 of its size and enlarged again, half with noise.

    This is what a small or out-of-focus face looks like once its crop is enlarged. (B, 3, H, W) 0..255 in and out, also
    changed in place. The pictures lose it in SOFT_SIZES groups of one size each, which lie evenly between the two on a
    logarithmic scale. `host` draws the sizes; a CPU generator spares waiting for the device.
    """
    size = images.shape[-1]
    drawn = uniform(SOFT_SIZES, 0, 1, host or generator).tolist()
    # split, not chunk: every group that can be is equally large, and none is missing on small batches but the last
    groups = torch.tensor_split(picked(len(images), share, generator), SOFT_SIZES)
    for i, group in enumerate(groups):
        if not len(group):
            continue
        small = max(8, round(size * smallest ** ((i + drawn[i]) / SOFT_SIZES)))
        shrunk = functional.interpolate(images[group], size=(small, small), mode="bilinear", antialias=True)
        spread = uniform(len(group), -MOST_NOISE, MOST_NOISE, generator).clamp(min=0)[:, None, None, None]
        noise = torch.randn(shrunk.shape, generator=generator, device=generator.device)
        shrunk = shrunk.addcmul_(noise, spread)
        images[group] = functional.interpolate(shrunk, size=(size, size), mode="bilinear").clamp_(0, 255)
    return images


def occlude(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A share of the pictures gets one flat rectangle of up to 45 % of its side, of random colour, somewhere."""
    size = images.shape[-1]
    n = len(images)
    picked = uniform(n, 0, 1, generator) < share
    extent = (torch.rand(n, 2, generator=generator, device=generator.device) * 0.35 + 0.1) * size
    corner = torch.rand(n, 2, generator=generator, device=generator.device) * (size - extent)
    colour = torch.rand(n, 3, 1, 1, generator=generator, device=generator.device) * 255
    steps = torch.arange(size, device=images.device)
    inside = (steps >= corner[..., None]) & (steps < (corner + extent)[..., None])  # (n, 2, size)
    hidden = (inside[:, 1, :, None] & inside[:, 0, None, :] & picked[:, None, None])[:, None]
    return torch.where(hidden, colour, images)
