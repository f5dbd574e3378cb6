"""Reads what training/data/pack.py wrote, and labels of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from training.data.faces import FaceLabels


@dataclass(frozen=True)
class Packed:
    """Holds packed pictures. images: (P, side, side, 3) uint8, mapped into memory. sizes: (P, 2) width and height of
    each in its square, pixels. names: (P,) archive/path."""

    images: NDArray[np.uint8]
    sizes: NDArray[np.float32]
    names: NDArray[np.str_]

    @classmethod
    def load(cls, folder: Path, name: str) -> Self:
        """Reads a set. Raises SystemExit where it is not there or its files are of different sets."""
        paths = [folder / f"{name}{suffix}.npy" for suffix in ("", ".sizes", ".names")]
        for path in paths:
            if not path.exists():
                raise SystemExit(f"{path} is missing; run python -m training.data.pack")
        images, sizes, names = (np.load(path, mmap_mode="r") for path in paths)
        if not len(images) == len(sizes) == len(names):
            raise SystemExit(
                f"{paths[0]} holds {len(images)} pictures, beside it lie {len(sizes)} sizes and {len(names)} names; "
                "run python -m training.data.pack"
            )
        return cls(images, sizes, names)

    def labels(self, path: Path) -> FaceLabels:
        """Labels of these pictures. Raises SystemExit where they are missing, older, or of other pictures."""
        if not path.exists():
            raise SystemExit(f"{path} is missing; python -m training.labels runs every step in order")
        labels = FaceLabels.load(path)
        labels.require_pictures(len(self.names), path)
        return labels

    def pixels(self, picture: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB of one picture, without the grey beside it."""
        width, height = self.sizes[picture].astype(int)
        return np.ascontiguousarray(self.images[picture, :height, :width])
