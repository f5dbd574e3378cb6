"""68 points as the 300-W challenge publishes them (Sagonas et al., 2013) for AFW, HELEN, LFPW and its own pictures.

Each face has a file of its own beside a picture of the same name:

    version: 1
    n_points: 68
    {
    <x> <y>      68 lines
    }
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training.evaluation.datasets.sample import Floats, Sample, existing, later

PICTURES = (".jpg", ".png", ".jpeg", ".bmp")


def read_points(path: Path) -> Floats:
    """(68, 2) as annotated. Raises ValueError where the file holds something else."""
    body = path.read_text().partition("{")[2].partition("}")[0]
    points = np.array(body.split(), np.float64)
    if points.size != 2 * 68:
        raise ValueError(f"{path} holds {points.size / 2:g} points; expected 68")
    return points.reshape(68, 2)


def read(folder: Path) -> Iterator[Sample]:
    """A sample for each .pts file of a folder, and of the folders in it, in alphabetical order."""
    for path in sorted(existing(folder, "a folder of .pts files and pictures").rglob("*.pts")):
        picture = next((path.with_suffix(end) for end in PICTURES if path.with_suffix(end).exists()), None)
        if picture is None:
            raise FileNotFoundError(f"no picture lies beside {path}; expected one of {', '.join(PICTURES)}")
        yield Sample(
            name=str(path.relative_to(folder).with_suffix("")),
            read=later(picture),
            landmarks=read_points(path)[None],
        )
