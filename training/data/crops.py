"""Cuts the crops that train the single face network: `python -m training.data.crops --set singles`.

Each fitted face becomes 192 x 192 pixels, 2.1 times the longer side of its points' box around their centre: the
network's own 128-pixel crop of 1.4 times, with room to shift, turn and scale. Writes NAME.npy (N, 192, 192, 3) uint8
and NAME.npz, the faces in pixels of their crops (training/data/faces.py).

Takes the combined labels, but for those that the single face network made itself: from them it learns nothing new. A
first one, which they need, learns from the first teacher alone (--first-teacher). Faces under 28 pixels are left out.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.data.archives import SETS
from training.data.augment import sample
from training.data.faces import FaceLabels, Similarity
from training.data.packed import Packed
from training.data.sources import Source, read_sources

CROP_SIDE = 192  # pixels
CROP_FACTOR = 1.4  # side of the network's crop over the longer side of the points' box
STORED_FACTOR = CROP_FACTOR * CROP_SIDE / 128
SMALLEST_FACE = 28.0  # pixels of the longer side of the points' box


def upright_crop(points: torch.Tensor, factor: float, size: int) -> Similarity:
    """Transforms that put the centre of the points' box (N, 68, 2) into the middle of size x size, unturned."""
    low, high = points.amin(1), points.amax(1)
    n = len(points)
    scale = size / (factor * (high - low).amax(-1))
    none = torch.zeros(n, dtype=torch.bool)
    return Similarity.about((low + high) / 2, torch.full((n, 2), size / 2), scale, torch.zeros(n), none)


def worth_learning(faces: FaceLabels, source: NDArray[np.uint8]) -> Tensor:
    """(N,) bool, of faces whose source is (N,): labelled, not by the single face network itself, and large enough."""
    extent = (faces.points.amax(1) - faces.points.amin(1)).amax(-1)
    return (faces.fitted > 0) & torch.from_numpy(source != Source.SFN) & (extent >= SMALLEST_FACE)


def cut(images: np.ndarray, faces: FaceLabels, out: Path) -> None:
    """Writes the crops of faces as out.npy and their labels as out.npz. images: the pictures that labels name by
    index."""
    transform = upright_crop(faces.points, STORED_FACTOR, CROP_SIDE)
    crops = np.lib.format.open_memmap(out.with_suffix(".npy"), "w+", np.uint8, (len(faces), CROP_SIDE, CROP_SIDE, 3))
    for i in range(len(faces)):
        one = torch.tensor([i])
        picture = torch.from_numpy(np.array(images[int(faces.picture[i])]))[None]
        crops[i] = sample(picture, transform[one], CROP_SIDE)[0].permute(1, 2, 0).round().byte().numpy()
    moved = transform.faces(faces, torch.arange(46))
    moved.picture = torch.arange(len(faces))
    moved.save(out.with_suffix(".npz"))
    print(f"{out}: {len(faces)} crops")


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=SETS, required=True)
    parser.add_argument("--pack", type=Path, default=Path(".work/pack"))
    parser.add_argument("--labels", type=Path, default=Path(".work/labels"))
    parser.add_argument("--out", type=Path, default=Path(".work/crops"))
    parser.add_argument("--first-teacher", action="store_true", help="take NAME.npz in place of NAME.combined.npz")
    args = parser.parse_args()
    torch.set_num_threads(1)
    packed = Packed.load(args.pack, args.set)
    path = args.labels / (f"{args.set}.npz" if args.first_teacher else f"{args.set}.combined.npz")
    faces = packed.labels(path)
    source = np.full(len(faces), Source.FIRST_TEACHER, np.uint8) if args.first_teacher else read_sources(path)
    args.out.mkdir(parents=True, exist_ok=True)
    cut(packed.images, faces[worth_learning(faces, source)], args.out / args.set)


if __name__ == "__main__":
    main()
