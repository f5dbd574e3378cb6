"""WIDER FACE (Yang et al., 2016), validation set: wider_face_split/wider_face_val_bbx_gt.txt holds

    <event>/<image>.jpg
    <number of faces>
    <x> <y> <width> <height> <blur> <expression> <illumination> <invalid> <occlusion> <pose>      a line each

and one line of zeros where there is no face.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training.evaluation.datasets.sample import Sample, existing, later

INVALID = 7  # column


def read(folder: Path) -> Iterator[Sample]:
    """A folder with wider_face_split/ and WIDER_val/images/. Faces marked invalid, or without area, are ignored."""
    annotation = existing(folder / "wider_face_split" / "wider_face_val_bbx_gt.txt", "WIDER FACE's annotation")
    pictures = existing(folder / "WIDER_val" / "images", "WIDER FACE's validation pictures")
    lines = iter(annotation.read_text().splitlines())
    for name in lines:
        if not name.strip():
            continue
        count = int(next(lines))
        rows = np.array([next(lines).split()[:10] for _ in range(max(count, 1))], np.float64)[:count].reshape(-1, 10)
        yield Sample(
            name=name.strip(),
            read=later(pictures / name.strip()),
            boxes=np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1),
            ignored=(rows[:, INVALID] != 0) | (rows[:, 2:4] <= 0).any(axis=1),
        )
