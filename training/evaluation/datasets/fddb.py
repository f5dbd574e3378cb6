"""FDDB (Jain and Learned-Miller, 2010): faces as ellipses, ten folds of

<image name without .jpg>
<number of faces>
<major axis radius> <minor axis radius> <angle> <centre x> <centre y> 1      a line each
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training.evaluation.datasets.sample import Floats, Sample, existing, later


def ellipse_boxes(ellipses: Floats) -> Floats:
    """(M, 4) x1, y1, x2, y2 around ellipses (M, 5): two radii, the angle of the first in radians, centre x and y."""
    major, minor, angle, x, y = ellipses.T
    half_width = np.hypot(major * np.cos(angle), minor * np.sin(angle))
    half_height = np.hypot(major * np.sin(angle), minor * np.cos(angle))
    boxes: Floats = np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=-1)
    return boxes


def read(folder: Path) -> Iterator[Sample]:
    """Samples of a folder with FDDB-folds/FDDB-fold-*-ellipseList.txt and the pictures in originalPics/."""
    folds = sorted(existing(folder / "FDDB-folds", "FDDB's annotations").glob("FDDB-fold-*-ellipseList.txt"))
    pictures = existing(folder / "originalPics", "FDDB's pictures")
    for fold in folds:
        lines = iter(fold.read_text().splitlines())
        for name in lines:
            if not name.strip():
                continue
            rows = [[float(value) for value in next(lines).split()[:5]] for _ in range(int(next(lines)))]
            boxes = ellipse_boxes(np.array(rows, np.float64).reshape(-1, 5))
            yield Sample(
                name=name.strip(),
                read=later(pictures / f"{name.strip()}.jpg"),
                boxes=boxes,
                ignored=np.zeros(len(boxes), bool),
            )
