"""Photos with a fitted face each, as training/labels leaves them, to make turned or edited copies of."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from training.render.head import Pose

TRUSTED = 0.5  # least `fitted` of a face that is copied
SMALLEST = 70.0  # pixels of the 68 points' longer side in the photo


@dataclass(frozen=True)
class FittedPhoto:
    """Holds a photo with its fit. photo: (H, W, 3) uint8. w_id (50,), w_exp (46,) and pose: the fit. fitted: how far it
    is trusted, 0 to 1."""

    photo: np.ndarray
    w_id: np.ndarray
    w_exp: np.ndarray
    pose: Pose
    fitted: float


@dataclass(frozen=True)
class FittedPhotos:
    """Holds packed photos with their fits. pictures: (P, side, side, 3) uint8 in memory or on disk, each at the top
    left of its square; sizes: (P, 2); labels: arrays as in training.data.faces.FaceLabels; usable: indices of labels
    large and sure enough to copy."""

    pictures: np.ndarray
    sizes: np.ndarray
    labels: dict[str, np.ndarray]
    usable: np.ndarray

    @classmethod
    def load(cls, pictures: Path, labels: Path) -> Self:
        """Reads packed pictures and their labels. Raises ValueError where no face is fit to be copied."""
        with np.load(labels) as file:
            arrays = {key: file[key] for key in file.files}
        extent = np.ptp(arrays["points"], axis=1).max(1)
        usable = np.flatnonzero((arrays["fitted"] >= TRUSTED) & (arrays["ignored"] == 0) & (extent >= SMALLEST))
        if not len(usable):
            raise ValueError(f"{labels} has no face with fitted >= {TRUSTED} and points over {SMALLEST:.0f} pixels")
        sizes = np.load(pictures.with_suffix(".sizes.npy")).astype(int)
        return cls(np.load(pictures, mmap_mode="r"), sizes, arrays, usable)

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count,) indices of labels, each usable one as often as the others."""
        rounds = [rng.permutation(self.usable) for _ in range(-(-count // len(self.usable)))]
        return np.concatenate(rounds)[:count]

    def __getitem__(self, index: int) -> FittedPhoto:
        labels = self.labels
        picture = labels["picture"][index]
        width, height = self.sizes[picture]
        return FittedPhoto(
            photo=np.ascontiguousarray(self.pictures[picture, :height, :width]),
            w_id=labels["identity"][index],
            w_exp=labels["expression"][index],
            pose=Pose(labels["quaternion"][index], labels["origin"][index], float(labels["scale"][index])),
            fitted=float(labels["fitted"][index]),
        )


def read_arguments(doc: str | None, out: Path) -> argparse.Namespace:
    """The command line of a command that copies fitted photos. doc: its module's. out: where to by default."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--head", type=Path, default=Path("../shared/ict_facekit.npz"))
    parser.add_argument("--pictures", type=Path, default=Path(".work/pack/singles.npy"))
    parser.add_argument("--labels", type=Path, default=Path(".work/labels/singles.npz"))
    parser.add_argument("--out", type=Path, default=out)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()
