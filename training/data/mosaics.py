"""Windows made of smaller windows, in which faces are tiny and many (Bochkovskiy et al., "YOLOv4", 2020)."""

import math

import torch
from torch import Tensor

from training.data.windows import Batch, PictureSet, draw_batch

PARTS = (2, 3)  # windows a side of a mosaic
FINE_SHARE = 0.25  # of the mosaics have the finer parts


def draw_windows(
    pictures: PictureSet,
    frequency: Tensor,
    n: int,
    mosaic: float,
    size: int,
    partner: Tensor,
    generator: torch.Generator,
) -> list[Batch]:
    """n windows of size x size from pictures drawn as often as `frequency` (P,) says, a share of them mosaics."""
    mosaics = round(n * mosaic)
    fine = round(mosaics * FINE_SHARE)
    batches = []
    for parts, count in ((1, n - mosaics), (PARTS[0], mosaics - fine), (PARTS[1], fine)):
        if count:
            chosen = torch.multinomial(frequency, count * parts**2, replacement=True, generator=generator)
            if parts == 1:
                batches.append(draw_batch(pictures, chosen, size, partner, generator))
            else:
                batches.append(draw_mosaics(pictures, chosen, parts, size, partner, generator))
    return batches


def draw_mosaics(
    pictures: PictureSet, chosen: Tensor, parts: int, size: int, partner: Tensor, generator: torch.Generator
) -> Batch:
    """Windows of size x size, each of parts x parts windows of the chosen pictures (B * parts^2,), row by row.

    Each part is drawn as a window that whole pictures fill. Parts that do not divide the size lose the pixels that are
    over at the right and below.
    """
    side = math.ceil(size / parts)
    batch = draw_batch(pictures, chosen, side, partner, generator, input_side=side)
    cell = batch.row % parts**2
    corner = torch.stack([cell % parts, cell // parts], -1) * side  # (M, 2)
    faces = batch.faces
    faces.box = faces.box + corner.repeat(1, 2)
    faces.origin = faces.origin + corner
    faces.points = faces.points + corner[:, None]
    rows = batch.images.view(-1, parts, parts, 3, side, side).permute(0, 3, 1, 4, 2, 5)  # part's row, y, column, x last
    images = rows.reshape(-1, 3, parts * side, parts * side)[..., :size, :size]
    return Batch(images, faces, batch.row // parts**2)
