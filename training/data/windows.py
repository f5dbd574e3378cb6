"""The windows of pictures that the multiple face network is trained on (paper sections 3.4 and 4.3.1)."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from training.arrays import map_array
from training.data.archives import BOX_LEAN, LEANING_BOXES
from training.data.augment import occlude, random_tilt, recolour, sample, uniform
from training.data.faces import FaceLabels, Similarity, rarity, turned_away
from training.networks.constants import constant

NETWORK_SIDE = 288  # pixels, long side of a picture that fills the network's first input size
SMALLEST, LARGEST = 7.0, 0.95  # pixels, and of the window's side: sizes that zooming gives to the face it is about
SMALLEST_FOUND = 0.019 * NETWORK_SIDE  # pixels; smaller ones do not count (2 % of the picture in paper section 4.1)
WHOLE_SHARE = 0.5  # of the pictures keep about their own size, the others zoom to a face
TILT = 0.22  # radians, standard deviation of the usual tilt
LYING_SHARE, MOST_LYING = 0.08, 1.9  # of pictures turned anyhow up to this, radians, for people who lie down
BACKGROUND_SHARE = 0.15  # of windows lie anywhere on their picture, most without a face
BLANK_SHARE = 0.02  # of windows show one colour: no picture is so empty that it may hold a face
LEAST_FILLED = 0.6  # share of the window's side that a picture fills when it is shrunk to make its faces small
MOST_ENLARGED = 4.0  # more enlargement only shows blur
LEAST_VISIBLE = 0.45  # share of a face's box that the window must show for it to count


@dataclass
class PictureSet:
    """Pictures (P, side, side, 3) uint8 with their sizes (P, 2) and the faces on them, sorted by picture.

    lean: (P,) how far boxes lie to the right of their faces, in widths: a habit of those who annotated the picture.
    """

    images: Tensor
    sizes: Tensor
    faces: FaceLabels
    first: Tensor  # (P + 1,) faces of picture p are first[p] : first[p + 1]
    lean: Tensor

    @classmethod
    def load(cls, packed: Path, labels: Path, device: str) -> Self:
        """The packed pictures of an .npy and their labels. Raises SystemExit where a file is missing or foreign, or the
        labels are of other pictures."""
        images = torch.from_numpy(map_array(packed, "python -m training.data.pack makes it"))
        faces = FaceLabels.load(labels, device)
        faces.require_pictures(len(images), labels)
        faces = faces[torch.argsort(faces.picture, stable=True)]
        counts = torch.bincount(faces.picture, minlength=len(images))
        first = torch.cat([torch.zeros(1, dtype=torch.long, device=device), counts.cumsum(0)])
        sizes = torch.from_numpy(map_array(packed.with_suffix(".sizes.npy"))).to(device)
        lean = torch.zeros(len(images), device=device)
        names = packed.with_suffix(".names.npy")
        if names.exists():
            leaning = np.array([name.startswith(LEANING_BOXES) for name in map_array(names).tolist()])
            lean[torch.from_numpy(leaning)] = BOX_LEAN
        return cls(images.to(device), sizes, faces, first, lean)

    @property
    def crowded(self) -> bool:
        """Whether its pictures show more than one face to find, in the mean."""
        found = self.faces.picture[self.faces.ignored < 0.5]
        return len(found) > 1.5 * int((torch.bincount(found) > 0).sum())

    def frequency(self, turned: float = 1.0) -> Tensor:
        """(P,) how often each picture is drawn: never without a face, more often where faces' expressions are rare, and
        `turned` times as often where a head is turned to a side."""
        count = self.first[1:] - self.first[:-1]
        known = (self.faces.fitted > 0).nonzero()[:, 0]
        excess = torch.zeros(len(count), device=count.device)
        if len(known) > 1:
            excess.index_add_(0, self.faces.picture[known], rarity(self.faces.expression[known]) - 1)
        away = known[turned_away(self.faces.quaternion[known])]
        more = torch.ones(len(count), device=count.device).index_fill_(0, self.faces.picture[away], turned)
        return (1 + excess / count.clamp(min=1)) * (count > 0) * more


@dataclass
class Batch:
    """Holds a batch of windows: images (B, 3, S, S) 0..255; faces of all of them, and of each face the picture in the
    batch: row (M,)."""

    images: Tensor
    faces: FaceLabels
    row: Tensor

    @staticmethod
    def joined(parts: list["Batch"]) -> "Batch":
        """One batch of several, their pictures in order."""
        before = np.cumsum([0, *(len(part.images) for part in parts)]).tolist()
        return Batch(
            torch.cat([part.images for part in parts]),
            FaceLabels.concatenate([part.faces for part in parts]),
            torch.cat([part.row + base for part, base in zip(parts, before, strict=False)]),
        )


def draw_batch(
    pictures: PictureSet,
    chosen: Tensor,
    size: int,
    partner: Tensor,
    generator: torch.Generator,
    input_side: int | None = None,
) -> Batch:
    """Windows of size x size around a face of each chosen picture: zoomed, shifted, tilted, mirrored, recoloured.

    input_side: of the input, in pixels, that whole pictures would fill: where not given, NETWORK_SIDE or the windows'
    own, for smaller ones are parts of such an input. Zoomed faces reach LARGEST of the window.
    """
    input_side = input_side or max(size, NETWORK_SIDE)
    n, device = len(chosen), chosen.device
    first, count = pictures.first[chosen], pictures.first[chosen + 1] - pictures.first[chosen]
    pick = first + (uniform(n, 0, 1, generator) * count).long().clamp(max=count - 1)
    box = pictures.faces.box[pick]
    centre = (box[:, :2] + box[:, 2:]) / 2
    face_size = (box[:, 2:] - box[:, :2]).prod(-1).clamp(min=4).sqrt()

    own_scale = input_side / pictures.sizes[chosen].amax(-1)
    whole = own_scale * torch.exp(uniform(n, math.log(0.7), math.log(1.6), generator))
    wanted = torch.exp(uniform(n, math.log(SMALLEST), math.log(LARGEST * size), generator))
    least = LEAST_FILLED * size / pictures.sizes[chosen].amax(-1)
    zoomed = torch.maximum(wanted / face_size, least).clamp(max=MOST_ENLARGED)
    scale = torch.where(uniform(n, 0, 1, generator) < WHOLE_SHARE, whole, zoomed)
    half = (face_size * scale / 2).clamp(max=size / 2)[:, None]
    target = half + torch.rand(n, 2, generator=generator, device=device) * (size - 2 * half)
    mirror = uniform(n, 0, 1, generator) < 0.5
    # most windows are moved so that they show as much of the picture as they can
    extent = pictures.sizes[chosen] * scale[:, None]
    seen_centre = torch.where(mirror[:, None], torch.stack([extent[:, 0], 0 * extent[:, 1]], -1), 0 * extent)
    seen_centre = (centre * scale[:, None] - seen_centre).abs()
    slack = size - extent
    moved = seen_centre + torch.maximum(torch.minimum(target - seen_centre, slack.clamp(min=0)), slack.clamp(max=0))
    target = torch.where(uniform(n, 0, 1, generator)[:, None] < 0.8, moved, target)
    lying = uniform(n, 0, 1, generator) < LYING_SHARE
    angle = torch.where(lying, uniform(n, -MOST_LYING, MOST_LYING, generator), random_tilt(n, TILT, generator))
    anywhere = (uniform(n, 0, 1, generator) < BACKGROUND_SHARE)[:, None]
    somewhere = torch.rand(n, 2, generator=generator, device=device) * pictures.sizes[chosen]
    centre, target = torch.where(anywhere, somewhere, centre), torch.where(anywhere, size / 2, target)
    transform = Similarity.about(centre, target, scale, angle, mirror)

    images = sample(pictures.images[chosen], transform, size)
    blank = uniform(n, 0, 1, generator) < BLANK_SHARE
    images = torch.where(blank[:, None, None, None], images.mean((2, 3), keepdim=True), images)
    images = occlude(recolour(images, generator), 0.1, generator)
    row = torch.repeat_interleave(torch.arange(n, device=device), count)
    within = torch.arange(len(row), device=device) - torch.repeat_interleave(count.cumsum(0) - count, count)
    faces = transform[row].faces(pictures.faces[first[row] + within], partner)

    # a mirrored box lies on the other side of its face; put it where the annotators would have
    width = faces.box[:, 2] - faces.box[:, 0]
    across = 2 * pictures.lean[chosen][row] * width * mirror[row]
    faces.box = faces.box + across[:, None] * constant((1.0, 0.0, 1.0, 0.0), chosen.device)

    low, high = faces.box[:, :2].clamp(0, size), faces.box[:, 2:].clamp(0, size)
    visible = (high - low).prod(-1) / (faces.box[:, 2:] - faces.box[:, :2]).prod(-1).clamp(min=1)
    faces.ignored = torch.where(visible < LEAST_VISIBLE, 1.0, faces.ignored)
    side = (faces.box[:, 2:] - faces.box[:, :2]).amin(-1)
    faces.ignored = torch.where(side < SMALLEST_FOUND, 1.0, faces.ignored)
    seen = (visible > 0) & ~blank[row]
    return Batch(images, faces[seen], row[seen])
