"""AFW (Zhu and Ramanan, 2012) as its authors publish it: testimages/ with anno.mat, a MATLAB 7.3 file.

`anno` is a cell array with a row for each picture: its name, a cell of boxes [x1 y1; x2 y2], one of angles, one of six
landmarks. The 68 points that others added are read by points.py.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training.evaluation.datasets.sample import Sample, existing, later

NAME, BOXES = 0, 1  # columns of anno


def read(folder: Path) -> Iterator[Sample]:
    """Samples of a folder with testimages/anno.mat, with the boxes of all faces."""
    import h5py  # of the training extra; nothing else needs it

    pictures = folder / "testimages"
    with h5py.File(existing(pictures / "anno.mat", "AFW's annotation"), "r") as file:
        anno = file["anno"]  # HDF5 stores MATLAB's arrays transposed: (4, pictures)
        for column in range(anno.shape[1]):
            name = "".join(map(chr, np.ravel(file[anno[NAME, column]])))
            corners = [np.array(file[cell]) for cell in np.ravel(file[anno[BOXES, column]])]
            boxes = np.array([[*box[:, 0], *box[:, 1]] for box in corners], np.float64).reshape(-1, 4)
            yield Sample(name=name, read=later(pictures / name), boxes=boxes, ignored=np.zeros(len(boxes), bool))
