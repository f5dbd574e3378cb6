"""Trains the single face network: `python -m training.scripts.train_sfn --run RUN` (paper sections 3.2 to 4.3)."""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from service.vision.face_model import FaceModel
from service.vision.mirroring import mirror_partners
from training.arrays import map_array
from training.data.augment import degrade, occlude, random_tilt, recolour, sample, uniform
from training.data.crops import CROP_SIDE
from training.data.faces import SMALLEST_SPREAD, FaceLabels, Similarity, rarity, turned_away
from training.data.video import blur_along_line, compress
from training.networks.constants import constant
from training.networks.decoding import Landmarks, decode_pose
from training.networks.variants import SINGLE
from training.optimization.losses import GAZE_WEIGHT, CoefficientLoss, eyes_among, gaze_loss, spread_of_known
from training.optimization.options import (
    add_run_arguments,
    arguments_of,
    coefficient_weight_of,
    non_negative,
    require_as_many,
    start,
)
from training.optimization.precision import in_precision

SCALES = (0.8, 1.2)  # of the crop, and
SHIFT = 0.10  # of its side (paper section 4.3.1)
TILT = 0.25  # radians, standard deviation
SOFT_SHARE, SMALLEST_SHARE = 0.4, 0.12  # crops that lose detail, down to this share of their pixels
VIEWS = 2  # copies of each face in a batch, which must agree on identity and expression (section 3.2)
AGREEMENT_WEIGHT = 0.5
AGREEMENT_OF_EXPRESSION = 5.0  # weights of w_exp differ by tenths where those of w_id differ by whole units


@dataclass
class Crops:
    """A set of crops: images (N, 192, 192, 3) uint8, their faces, how often each is drawn (N,), and the set's share in
    a batch."""

    images: Tensor
    faces: FaceLabels
    frequency: Tensor
    share: float

    @classmethod
    def load(cls, paths: list[Path], shares: list[float], device: str, turned: float = 1.0) -> list["Crops"]:
        """The sets of crops at these paths, less .npy and .npz. Raises SystemExit where a file is missing or foreign.

        turned: how often heads turned to a side are drawn, against others of the same set."""
        sets = []
        for path, share in zip(paths, shares, strict=True):
            images = torch.from_numpy(map_array(path.with_suffix(".npy"), "python -m training.data.crops makes it"))
            faces = FaceLabels.load(path.with_suffix(".npz"), device)
            if len(images) != len(faces):
                raise SystemExit(f"{path}.npy holds {len(images)} crops, {path}.npz labels of {len(faces)}")
            frequency = rarity(faces.expression) * faces.fitted
            frequency = frequency * torch.where(turned_away(faces.quaternion), turned, 1.0)
            sets.append(cls(images.to(device), faces, frequency / frequency.sum(), share))
        return sets


def draw_views(
    sets: list[Crops], faces: int, size: int, partner: Tensor, generator: torch.Generator
) -> tuple[Tensor, FaceLabels]:
    """Images (VIEWS * faces, 3, size, size) and labels; row i and row i + faces show the same face."""
    images, labels = [], []
    for crops in sets:
        n = round(faces * crops.share)
        chosen = torch.multinomial(crops.frequency, n, replacement=True, generator=generator).repeat(VIEWS)
        m = len(chosen)
        device = chosen.device
        centre = torch.full((m, 2), CROP_SIDE / 2, device=device)
        target = size / 2 + (torch.rand(m, 2, generator=generator, device=device) * 2 - 1) * SHIFT * size
        scale = torch.exp(uniform(m, math.log(SCALES[0]), math.log(SCALES[1]), generator))
        mirror = (uniform(n, 0, 1, generator) < 0.5).repeat(VIEWS)  # both views alike: they are compared
        transform = Similarity.about(centre, target, scale, random_tilt(m, TILT, generator), mirror)
        images.append(sample(crops.images[chosen], transform, size).view(VIEWS, n, 3, size, size))
        labels.append((transform.faces(crops.faces[chosen], partner), n))
    order = [
        FaceLabels.concatenate(
            [part[torch.arange(view * n, (view + 1) * n, device=part.box.device)] for part, n in labels]
        )
        for view in range(VIEWS)
    ]
    return torch.cat(images, dim=1).flatten(0, 1), FaceLabels.concatenate(order)


def losses_of(
    network: nn.Module,
    images: Tensor,
    labels: FaceLabels,
    coefficients: CoefficientLoss,
    gaze_spread: Tensor,
    coefficient_weight: float,
    precision: str = "float32",
) -> dict[str, Tensor]:
    """Equation 3 plus the gaze and the agreement of the views. gaze_spread: (8,), see
    training.optimization.losses.gaze_loss."""
    pose, identity, logits, gaze = in_precision(network, images, precision)
    side = images.shape[-1]
    prior = constant((side / 2, side / 2, float(side), float(side)), images.device)
    expression = torch.sigmoid(logits)
    terms = coefficients(
        decode_pose(pose, prior.expand(len(pose), 4)), identity, expression, labels, coefficient_weight
    )
    first, second = identity.chunk(VIEWS)
    first_expression, second_expression = expression.chunk(VIEWS)
    apart = (first - second).abs().mean() + AGREEMENT_OF_EXPRESSION * (
        first_expression - second_expression
    ).abs().mean()
    return terms | {
        "gaze": GAZE_WEIGHT * gaze_loss(torch.sigmoid(gaze), labels.gaze, gaze_spread),
        "agreement": AGREEMENT_WEIGHT * apart,
    }


def augmented(
    images: Tensor, motion_blur: float, compression: float, generator: torch.Generator, host: torch.Generator
) -> Tensor:
    """Pictures (B, 3, H, W) 0..255 as a camera might have seen them. The two are shares: blurred along a line, and
    compressed. host: draws what the program must know at once (training/data/augment.py)."""
    images = blur_along_line(recolour(images, generator), motion_blur, generator)
    images = compress(degrade(images, SOFT_SHARE, SMALLEST_SHARE, generator, host), compression, generator)
    return occlude(images, 0.1, generator)


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_run_arguments(parser, SINGLE)
    parser.add_argument(
        "--crops", type=Path, nargs="+", default=[Path(".work/crops/singles"), Path(".work/crops/groups")]
    )
    parser.add_argument("--shares", type=non_negative, nargs="+", default=[0.55, 0.45], help="of each set in a batch")
    parser.add_argument("--faces", type=int, default=32, help="faces in a batch, each in two views")
    args = arguments_of(parser, 12000, sys.argv[1:] if arguments is None else arguments)
    require_as_many(parser, args, "crops", "shares")

    run = start(SINGLE[args.variant], args, VIEWS * args.faces)
    network, generator, device = run.network, run.generator, args.device
    sets = Crops.load(args.crops, args.shares, device, args.turned)
    face_model = FaceModel.load(Path("models/face_model.npz"))
    partner = torch.from_numpy(mirror_partners(face_model.expression_names)).to(device)
    spread = torch.cat([s.faces.expression for s in sets]).std(0).clamp(min=SMALLEST_SPREAD)
    eyes = None if args.plain_eyes else eyes_among(face_model.expression_names).to(device)
    coefficients = CoefficientLoss(Landmarks(face_model).to(device), spread, eyes)
    gaze_spread = spread_of_known(torch.cat([s.faces.gaze for s in sets]))
    crops, weight_at = sum(len(s.faces) for s in sets), coefficient_weight_of(args)

    side = network.input_size

    network.train()
    while run.running():
        coefficient_weight = weight_at(args.epochs_seen + run.samples / VIEWS / crops, run.progress)
        images, labels = draw_views(sets, args.faces, side, partner, generator)
        images = augmented(images, args.motion_blur, args.compression, generator, run.host)
        images = images.contiguous(memory_format=torch.channels_last)
        terms = losses_of(network, images, labels, coefficients, gaze_spread, coefficient_weight, args.precision)
        run.update(terms, len(images))
        run.checkpoint({"coefficient_weight": coefficient_weight})
    run.save()


if __name__ == "__main__":
    main()
