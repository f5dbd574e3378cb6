"""How annotated boxes lie about the 68 points: `python -m training.labels.box_statistics`.

training/data/archives.py holds these measures as BOX_WIDTH_OVER_POINTS, BOX_HEIGHT_OVER_POINTS, BOX_SHIFT_UP and
BOX_LEAN. They depend on where the face model has its jaw line, for the points are those that the fits project. Reads
the first teacher's fits of the sets whose boxes are annotated and prints the medians over frontal faces, an archive a
line, and their spread, which tells what a median is worth.
"""

import argparse
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from service.vision.face_model import FaceModel
from training.data.archives import SETS
from training.data.faces import FaceLabels
from training.data.packed import Packed
from training.labels.combine import projected, yaw_of

Floats = NDArray[np.floating]

FRONTAL = 15.0  # degrees of yaw
SMALLEST_BOX = 40.0  # pixels; below it a pixel of an annotator is a few hundredths


@dataclass(frozen=True)
class Measures:
    """(N,) each, of boxes over the box of the points. width, height: ratios. shift_up: how far its centre lies above
    theirs, of the points' height. lean: how far to the right, of the box's width."""

    width: Floats
    height: Floats
    shift_up: Floats
    lean: Floats


def measure(box: Floats, points: Floats) -> Measures:
    """Measures how annotated boxes (N, 4) lie about the points (N, 68, 2) of the same faces, pixels."""
    low, high = points.min(1), points.max(1)
    size, centre = high - low, (low + high) / 2
    box_size, box_centre = box[:, 2:] - box[:, :2], (box[:, :2] + box[:, 2:]) / 2
    off = box_centre - centre
    width, height = (box_size / size).T
    return Measures(width, height, -off[:, 1] / size[:, 1], off[:, 0] / box_size[:, 0])


def frontal(labels: FaceLabels) -> NDArray[np.bool_]:
    """(N,) well fitted, unignored faces that are large and look ahead."""
    box = labels.box.numpy()
    large = (box[:, 2:] - box[:, :2]).min(1) >= SMALLEST_BOX
    ahead = np.abs(yaw_of(labels)) < FRONTAL
    return np.asarray((labels.fitted.numpy() == 1) & (labels.ignored.numpy() == 0) & large & ahead)


def told(name: str, measures: Measures) -> str:
    """Medians and half the distance of the quartiles, in one line."""
    quartiles = [np.percentile(values, [25, 50, 75]) for values in astuple(measures)]
    told = ", ".join(
        f"{what} {middle:.3f} +- {(high - low) / 2:.3f}"
        for what, (low, middle, high) in zip(("width", "height", "shift up", "lean"), quartiles, strict=True)
    )
    return f"{name}: {len(measures.width)} faces, {told}"


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pack", type=Path, default=Path(".work/pack"))
    parser.add_argument("--labels", type=Path, default=Path(".work/labels"))
    boxed = [name for name, photos in SETS.items() if photos.boxes]
    parser.add_argument("--sets", nargs="+", choices=boxed, default=boxed)
    args = parser.parse_args()
    face_model = FaceModel.load(Path("models/face_model.npz"))
    for name in args.sets:
        packed = Packed.load(args.pack, name)
        labels = packed.labels(args.labels / f"{name}.npz")
        archive = np.array([str(n).split("/")[0] for n in packed.names])[labels.picture.numpy()]
        for one in SETS[name].archives:
            rows = np.flatnonzero(frontal(labels) & (archive == one))
            if len(rows):
                faces = labels[torch.from_numpy(rows)]
                print(told(one, measure(faces.box.numpy(), projected(face_model, faces))))


if __name__ == "__main__":
    main()
