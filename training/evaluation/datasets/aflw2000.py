"""AFLW2000-3D (Zhu et al., 2016): imageNNNNN.jpg with imageNNNNN.mat beside it.

pt3d_68 (3, 68) are the points in pixels of the picture, y down, hidden ones of the jaw line where the 3D face has them;
Pose_Para (1, 7) starts with pitch, yaw and roll in radians.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from training.evaluation.datasets.sample import Sample, existing, later

YAW = 1  # element of Pose_Para


def read(folder: Path) -> Iterator[Sample]:
    """A sample for each .mat file of a folder that lies beside its .jpg, with points and yaw, in alphabetical order."""
    for path in sorted(existing(folder, "a folder of .jpg and .mat files").rglob("*.mat")):
        picture = path.with_suffix(".jpg")
        if not picture.exists():
            continue  # the release keeps further .mat files in a folder Code
        annotation = loadmat(path, variable_names=("pt3d_68", "Pose_Para"))
        yield Sample(
            name=path.stem,
            read=later(picture),
            landmarks=annotation["pt3d_68"][:2].T[None].astype(np.float64),
            yaw=np.degrees(annotation["Pose_Para"].reshape(1, -1)[:, YAW].astype(np.float64)),
        )
