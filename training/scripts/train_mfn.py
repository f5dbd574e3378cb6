"""Trains the multiple face network: `python -m training.scripts.train_mfn --run RUN` (paper sections 3.4 and 4.3.3)."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from service.vision.face_model import FaceModel
from service.vision.mirroring import mirror_partners
from training.data.faces import SMALLEST_SPREAD
from training.data.mosaics import draw_windows
from training.data.video import blur_along_line, compress
from training.data.windows import Batch, PictureSet
from training.networks.decoding import Landmarks, decode_boxes, decode_pose, priors_of
from training.networks.outputs import Level, Outputs
from training.networks.variants import DETECTORS, MULTIPLE
from training.optimization.assignment import ASSIGNMENTS, Assignment
from training.optimization.losses import CoefficientLoss, box_loss, eyes_among, score_loss
from training.optimization.options import (
    add_run_arguments,
    arguments_of,
    coefficient_weight_of,
    non_negative,
    require_as_many,
    start,
)
from training.optimization.precision import in_precision

PICTURES = [Path(".work/pack/groups.npy"), Path(".work/pack/singles.npy"), Path(".work/turned.npy")]
LABELS = [Path(".work/labels/groups.npz"), Path(".work/labels/singles.npz"), Path(".work/turned.npz")]
SHARES = [0.7, 0.2, 0.1]
BOX_WEIGHT, SCORE_WEIGHT, FACE_WEIGHT = 2.0, 1.0, 0.08  # bring the terms to like size
LEAST_SCORE = 0.05  # wanted of a prior that has a face, however bad its box still is
MOST_FACES = 24  # faces of one window that are looked at, twice as many in mosaics


@dataclass(frozen=True)
class Grid:
    """Holds the priors of one input size, (N, 4) and strides (N,), and who is responsible for which of a window's
    faces, of which the first `most` are looked at."""

    priors: Tensor
    strides: Tensor
    assignment: Assignment
    most: int = MOST_FACES

    @classmethod
    def of(cls, levels: tuple[Level, ...], size: int, device: str, assignment: Assignment, most: int) -> "Grid":
        """The priors of a network's levels on square pictures of `size` pixels a side."""
        return cls(priors_of(levels, size, device), strides_of(levels, size, device), assignment, most)


def targets_of(batch: Batch, grid: Grid) -> tuple[Tensor, Tensor]:
    """(B, N) index into batch.faces or -1, and (B, N) 1 where background is certain or a face is assigned."""
    n = len(batch.images)
    order = torch.argsort(batch.row, stable=True)
    row = batch.row[order]
    slot = torch.arange(len(row), device=row.device) - torch.searchsorted(row, row)
    kept = slot < grid.most
    order, row, slot = order[kept], row[kept], slot[kept]
    boxes = torch.zeros(n, grid.most, 4, device=row.device)
    index = torch.full((n, grid.most), -1, device=row.device)
    boxes[row, slot] = batch.faces.box[order]
    index[row, slot] = order
    ignored = torch.zeros(n, grid.most, dtype=torch.bool, device=row.device)
    ignored[row, slot] = batch.faces.ignored[order] > 0.5
    face = grid.assignment(boxes, (index >= 0) & ~ignored, grid.priors, grid.strides)  # (B, N) slots
    assigned = torch.where(face >= 0, torch.gather(index, 1, face.clamp(min=0)), -1)
    centre = grid.priors[None, None, :, :2]
    covered = ((centre > boxes[:, :, None, :2]) & (centre < boxes[:, :, None, 2:])).all(-1)  # (B, F, N)
    unsure = (covered & ignored[..., None]).any(1) & (assigned < 0)
    return assigned, 1.0 - unsure.float()


def losses_of(
    network: nn.Module,
    batch: Batch,
    grid: Grid,
    coefficients: CoefficientLoss | None,
    coefficient_weight: float,
    precision: str = "float32",
) -> dict[str, Tensor]:
    """Detection losses plus equation 4, which is left out of a network that only detects: coefficients None."""
    outputs = Outputs(*in_precision(network, batch.images, precision))
    assigned, counted = targets_of(batch, grid)
    picture, prior = (assigned >= 0).nonzero(as_tuple=True)  # waits for the device
    priors = grid.priors[prior]
    target = batch.faces[assigned[picture, prior]]
    boxes = decode_boxes(outputs.detection[picture, prior], priors)
    box, iou = box_loss(boxes, target.box)
    wanted = torch.zeros_like(counted)
    wanted[picture, prior] = iou.detach().clamp(min=LEAST_SCORE)
    found = max(1, len(picture))
    terms = {
        "score": SCORE_WEIGHT * score_loss(outputs.detection[..., 4], wanted, counted) / found,
        "box": BOX_WEIGHT * box.sum() / found,
    }
    if coefficients is not None:
        pose = decode_pose(outputs.pose[picture, prior], priors)
        expression = torch.sigmoid(outputs.expression[picture, prior])
        more = coefficients(pose, outputs.identity[picture, prior], expression, target, coefficient_weight)
        terms |= {name: FACE_WEIGHT * term for name, term in more.items()}
    return terms


def strides_of(levels: tuple[Level, ...], size: int, device: str) -> Tensor:
    """(N,) stride of each prior."""
    return torch.cat(
        [torch.full(((size // level.stride) ** 2 * len(level.anchors),), float(level.stride)) for level in levels]
    ).to(device)


def batch_of_size(batch: int, size: int, sizes: Sequence[int]) -> int:
    """How many windows of `size` a step takes: as many pixels as `batch` windows of the smallest of `sizes`."""
    return max(1, round(batch * (min(sizes) / size) ** 2))


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_run_arguments(parser, MULTIPLE)
    parser.add_argument("--pictures", type=Path, nargs="+", default=PICTURES, help="packed pictures, .npy")
    parser.add_argument("--labels", type=Path, nargs="+", default=LABELS, help="their faces, .npz, in the same order")
    parser.add_argument("--shares", type=non_negative, nargs="+", default=SHARES, help="of each set in a batch")
    parser.add_argument("--sizes", type=int, nargs="+", default=[192], help="sides of windows; a step draws one")
    parser.add_argument("--batch", type=int, default=32, help="windows a step, of the smallest size; fewer larger ones")
    parser.add_argument(
        "--mosaic", type=non_negative, default=0.0, help="share of the group photos' windows made of several"
    )
    args = arguments_of(parser, 10000, sys.argv[1:] if arguments is None else arguments)
    require_as_many(parser, args, "pictures", "labels", "shares")

    run = start(MULTIPLE[args.variant], args, args.batch)
    network, generator, device = run.network, run.generator, args.device
    sets = [PictureSet.load(*paths, device) for paths in zip(args.pictures, args.labels, strict=True)]
    frequencies = [s.frequency(args.turned) for s in sets]
    mosaics = [args.mosaic if s.crowded else 0.0 for s in sets]
    face_model = FaceModel.load(Path("models/face_model.npz"))
    partner = torch.from_numpy(mirror_partners(face_model.expression_names)).to(device)
    known = torch.cat([s.faces.expression[s.faces.fitted > 0.5] for s in sets])
    spread = known.std(0).clamp(min=SMALLEST_SPREAD) if len(known) > 1 else torch.full((46,), 0.1, device=device)
    eyes = None if args.plain_eyes else eyes_among(face_model.expression_names).to(device)
    knows_shapes = args.variant not in DETECTORS
    coefficients = CoefficientLoss(Landmarks(face_model).to(device), spread, eyes) if knows_shapes else None
    levels = network.levels
    coarsest = max(level.stride for level in levels)
    if any(size % coarsest for size in args.sizes):
        parser.error(f"--sizes {args.sizes} are not all multiples of {coarsest}")
    most = 2 * MOST_FACES if args.mosaic else MOST_FACES
    grids = {size: Grid.of(levels, size, device, ASSIGNMENTS[args.variant], most) for size in args.sizes}
    pictures, weight_at = sum(int((frequency > 0).sum()) for frequency in frequencies), coefficient_weight_of(args)

    network.train()
    while run.running():
        coefficient_weight = weight_at(args.epochs_seen + run.samples / pictures, run.progress)
        size = args.sizes[int(torch.randint(len(args.sizes), (), generator=run.host))]
        windows = batch_of_size(args.batch, size, args.sizes)
        batches = []
        for pictures_of, frequency, share, mosaic in zip(sets, frequencies, args.shares, mosaics, strict=True):
            n = round(windows * share)
            batches += draw_windows(pictures_of, frequency, n, mosaic, size, partner, generator)
        batch = Batch.joined(batches)
        images = compress(blur_along_line(batch.images, args.motion_blur, generator), args.compression, generator)
        batch.images = images.contiguous(memory_format=torch.channels_last)
        terms = losses_of(network, batch, grids[size], coefficients, coefficient_weight, args.precision)
        run.update(terms, len(images))
        run.checkpoint({"coefficient_weight": coefficient_weight})
    run.save()


if __name__ == "__main__":
    main()
