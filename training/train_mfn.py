"""Trains the multiple face network: `python -m training.train_mfn --run RUN` (paper sections 3.4 and 4.3.3)."""

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from service.face_model import FaceModel
from training.assignment import Assignment
from training.data.archives import BOX_LEAN, LEANING_BOXES
from training.data.augment import occlude, random_tilt, recolour, sample, uniform
from training.data.faces import SMALLEST_SPREAD, FaceLabels, Similarity, mirrored_expressions, rarity
from training.decoding import Landmarks, decode_boxes, decode_pose, priors_of
from training.loop import add_run_arguments, arguments_of, in_precision, start, tau_of
from training.losses import CoefficientLoss, box_loss, eyes_among, score_loss
from training.networks import Level, Outputs
from training.variants import ASSIGNMENTS, DETECTORS, MULTIPLE

PICTURES = [Path(".work/pack/groups.npy"), Path(".work/pack/singles.npy"), Path(".work/turned.npy")]
LABELS = [Path(".work/labels/groups.npz"), Path(".work/labels/singles.npz"), Path(".work/turned.npz")]
SHARES = [0.7, 0.2, 0.1]
NETWORK_SIDE = 288  # pixels, long side of a picture that fills the network's input
SMALLEST, LARGEST = 7.0, 250.0  # pixels: sizes that zooming gives to the face it is about
WHOLE_SHARE = 0.5  # of the pictures keep about their own size, the others zoom to a face
TILT = 0.22  # radians, standard deviation of the usual tilt
LYING_SHARE, MOST_LYING = 0.08, 1.9  # of pictures turned anyhow up to this, radians, for people who lie down
BACKGROUND_SHARE = 0.15  # of windows lie anywhere on their picture, most without a face
BLANK_SHARE = 0.02  # of windows show one colour: no picture is so empty that it may hold a face
LEAST_FILLED = 0.6  # share of the window's side that a picture fills when it is shrunk to make its faces small
MOST_ENLARGED = 4.0  # more enlargement only shows blur
LEAST_VISIBLE = 0.45  # share of a face's box that the window must show for it to count
BOX_WEIGHT, SCORE_WEIGHT, COEFFICIENT_WEIGHT = 2.0, 1.0, 0.08  # bring the terms to like size
LEAST_SCORE = 0.05  # wanted of a prior that has a face, however bad its box still is
MOST_FACES = 24  # faces of one window that are looked at


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
    def load(cls, packed: Path, labels: Path, device: str) -> "PictureSet":
        # copy-on-write, for torch wants writable memory: nothing is written, the pages stay shared between runs
        images = torch.from_numpy(np.load(packed, mmap_mode="c"))
        faces = FaceLabels.load(labels, device)
        faces = faces[torch.argsort(faces.picture, stable=True)]
        counts = torch.bincount(faces.picture, minlength=len(images))
        first = torch.cat([torch.zeros(1, dtype=torch.long, device=device), counts.cumsum(0)])
        sizes = torch.from_numpy(np.load(packed.with_suffix(".sizes.npy"))).to(device)
        lean = torch.zeros(len(images), device=device)
        names = packed.with_suffix(".names.npy")
        if names.exists():
            leaning = np.array([name.startswith(LEANING_BOXES) for name in np.load(names).tolist()])
            lean[torch.from_numpy(leaning)] = BOX_LEAN
        return cls(images.to(device), sizes, faces, first, lean)

    def frequency(self) -> Tensor:
        """(P,) how often each picture is drawn: never without a face, more often where faces' expressions are rare."""
        count = self.first[1:] - self.first[:-1]
        known = (self.faces.fitted > 0).nonzero()[:, 0]
        excess = torch.zeros(len(count), device=count.device)
        if len(known) > 1:
            excess.index_add_(0, self.faces.picture[known], rarity(self.faces.expression[known]) - 1)
        return (1 + excess / count.clamp(min=1)) * (count > 0)


@dataclass
class Batch:
    """images (B, 3, S, S) 0..255; faces of all of them, and of each face the picture in the batch: row (M,)."""

    images: Tensor
    faces: FaceLabels
    row: Tensor


def draw_batch(pictures: PictureSet, chosen: Tensor, size: int, partner: Tensor, generator: torch.Generator) -> Batch:
    """Windows of size x size around a face of each chosen picture: zoomed, shifted, tilted, mirrored, recoloured."""
    n, device = len(chosen), chosen.device
    first, count = pictures.first[chosen], pictures.first[chosen + 1] - pictures.first[chosen]
    pick = first + (uniform(n, 0, 1, generator) * count).long().clamp(max=count - 1)
    box = pictures.faces.box[pick]
    centre = (box[:, :2] + box[:, 2:]) / 2
    face_size = (box[:, 2:] - box[:, :2]).prod(-1).clamp(min=4).sqrt()

    own_scale = NETWORK_SIDE / pictures.sizes[chosen].amax(-1)
    whole = own_scale * torch.exp(uniform(n, math.log(0.7), math.log(1.6), generator))
    wanted = torch.exp(uniform(n, math.log(SMALLEST), math.log(min(LARGEST, 0.95 * size)), generator))
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
    faces.box = faces.box + across[:, None] * torch.tensor([1.0, 0, 1, 0], device=device)

    low, high = faces.box[:, :2].clamp(0, size), faces.box[:, 2:].clamp(0, size)
    visible = (high - low).prod(-1) / (faces.box[:, 2:] - faces.box[:, :2]).prod(-1).clamp(min=1)
    faces.ignored = torch.where(visible < LEAST_VISIBLE, 1.0, faces.ignored)
    side = (faces.box[:, 2:] - faces.box[:, :2]).amin(-1)
    faces.ignored = torch.where(side < 0.019 * NETWORK_SIDE, 1.0, faces.ignored)  # under 2 % (paper section 4.1)
    seen = (visible > 0) & ~blank[row]
    return Batch(images, faces[seen], row[seen])


def targets_of(batch: Batch, priors: Tensor, strides: Tensor, assignment: Assignment) -> tuple[Tensor, Tensor]:
    """(B, N) index into batch.faces or -1, and (B, N) 1 where background is certain or a face is assigned."""
    n = len(batch.images)
    order = torch.argsort(batch.row, stable=True)
    row = batch.row[order]
    slot = torch.arange(len(row), device=row.device) - torch.searchsorted(row, row)
    kept = slot < MOST_FACES
    order, row, slot = order[kept], row[kept], slot[kept]
    boxes = torch.zeros(n, MOST_FACES, 4, device=row.device)
    index = torch.full((n, MOST_FACES), -1, device=row.device)
    boxes[row, slot] = batch.faces.box[order]
    index[row, slot] = order
    ignored = torch.zeros(n, MOST_FACES, dtype=torch.bool, device=row.device)
    ignored[row, slot] = batch.faces.ignored[order] > 0.5
    face = assignment(boxes, (index >= 0) & ~ignored, priors, strides)  # (B, N) slots
    assigned = torch.where(face >= 0, torch.gather(index, 1, face.clamp(min=0)), -1)
    centre = priors[None, None, :, :2]
    covered = ((centre > boxes[:, :, None, :2]) & (centre < boxes[:, :, None, 2:])).all(-1)  # (B, F, N)
    unsure = (covered & ignored[..., None]).any(1) & (assigned < 0)
    return assigned, 1.0 - unsure.float()


def losses_of(
    network: nn.Module,
    batch: Batch,
    priors: Tensor,
    strides: Tensor,
    assignment: Assignment,
    coefficients: CoefficientLoss | None,
    tau: float,
    precision: str = "float32",
) -> dict[str, Tensor]:
    """Detection losses plus equation 4, which is left out of a network that only detects: coefficients None."""
    outputs = Outputs(*in_precision(network, batch.images, precision))
    assigned, counted = targets_of(batch, priors, strides, assignment)
    picture, prior = (assigned >= 0).nonzero(as_tuple=True)
    target = batch.faces[assigned[picture, prior]]
    boxes = decode_boxes(outputs.detection[picture, prior], priors[prior])
    box, iou = box_loss(boxes, target.box)
    wanted = torch.zeros_like(counted)
    wanted[picture, prior] = iou.detach().clamp(min=LEAST_SCORE)
    found = max(1, len(picture))
    terms = {
        "score": SCORE_WEIGHT * score_loss(outputs.detection[..., 4], wanted, counted) / found,
        "box": BOX_WEIGHT * box.sum() / found,
    }
    if coefficients is not None and bool((target.fitted > 0).any()):
        pose = decode_pose(outputs.pose[picture, prior], priors[prior])
        expression = torch.sigmoid(outputs.expression[picture, prior])
        more = coefficients(pose, outputs.identity[picture, prior], expression, target, tau)
        terms |= {name: COEFFICIENT_WEIGHT * term for name, term in more.items()}
    return terms


def strides_of(levels: tuple[Level, ...], size: int, device: str) -> Tensor:
    """(N,) stride of each prior."""
    return torch.cat(
        [torch.full(((size // level.stride) ** 2 * len(level.anchors),), float(level.stride)) for level in levels]
    ).to(device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_run_arguments(parser, MULTIPLE)
    parser.add_argument("--pictures", type=Path, nargs="+", default=PICTURES, help="packed pictures, .npy")
    parser.add_argument("--labels", type=Path, nargs="+", default=LABELS, help="their faces, .npz, in the same order")
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of each set in a batch")
    parser.add_argument("--size", type=int, default=192, help="side of the training windows, pixels")
    parser.add_argument("--batch", type=int, default=32)
    args = arguments_of(parser, 10000, sys.argv[1:])

    run = start(MULTIPLE[args.variant], args, args.batch)
    network, generator, device = run.network, run.generator, args.device
    sets = [PictureSet.load(*paths, device) for paths in zip(args.pictures, args.labels, strict=True)]
    frequencies = [s.frequency() for s in sets]
    face_model = FaceModel.load(Path("models/face_model.npz"))
    partner = torch.from_numpy(mirrored_expressions(face_model.expression_names)).to(device)
    known = torch.cat([s.faces.expression[s.faces.fitted > 0.5] for s in sets])
    spread = known.std(0).clamp(min=SMALLEST_SPREAD) if len(known) > 1 else torch.full((46,), 0.1, device=device)
    eyes = None if args.plain_eyes else eyes_among(face_model.expression_names).to(device)
    knows_shapes = args.variant not in DETECTORS
    coefficients = CoefficientLoss(Landmarks(face_model).to(device), spread, eyes) if knows_shapes else None
    priors = priors_of(network.levels, args.size, device)
    strides = strides_of(network.levels, args.size, device)
    assignment = ASSIGNMENTS[args.variant]
    steps_per_epoch = sum(int((frequency > 0).sum()) for frequency in frequencies) / args.batch

    network.train()
    while run.running():
        tau = tau_of(args)(args.epochs_seen + run.step / steps_per_epoch, run.progress)
        batches = []
        for pictures, frequency, share in zip(sets, frequencies, args.shares, strict=True):
            n = round(args.batch * share)
            chosen = torch.multinomial(frequency, n, replacement=True, generator=generator)
            batches.append(draw_batch(pictures, chosen, args.size, partner, generator))
        batch = Batch(
            torch.cat([b.images for b in batches]).contiguous(memory_format=torch.channels_last),
            FaceLabels.concatenate([b.faces for b in batches]),
            torch.cat([b.row + sum(len(a.images) for a in batches[:i]) for i, b in enumerate(batches)]),
        )
        terms = losses_of(network, batch, priors, strides, assignment, coefficients, tau, args.precision)
        run.update(terms, len(batch.images))
        run.checkpoint({"tau": tau})
    run.save()


if __name__ == "__main__":
    main()
