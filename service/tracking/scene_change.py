"""Whether someone may have come into the picture: a coarse look at what changed, far cheaper than a network.

The picture is averaged to a grid of grey cells. What changed since the last search for faces, away from the faces that
are known and the bodies under them, may be somebody new.
"""

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.vision.arrays import Array
from service.vision.image import Picture

GRID: Final = 32  # cells along the picture's longer side
SAMPLES: Final = 6  # pixels a cell and axis that are looked at: their mean has a sixth of a pixel's noise
MIN_CHANGE: Final = 10.0  # grey levels of 255; a camera's noise moves a cell by about 1

# Around a face, in its box' sizes: hair and hands move as it does, and so does the body below.
MARGIN: Final = 0.5
SHOULDERS: Final = 1.0


@dataclass(frozen=True)
class Scene:
    """A picture as a grid of grey cells (rows, columns), 0 to 255, of width x height pixels."""

    cells: Array
    width: int
    height: int

    @classmethod
    def of(cls, picture: Picture) -> Self:
        green = picture.pixels[:, :, 1]  # nearest to brightness of the three, and no conversion
        cell = max(green.shape) / GRID
        step = max(1, int(cell / SAMPLES))
        rows, columns = (max(1, round(side / cell)) for side in green.shape)
        samples = Image.fromarray(np.ascontiguousarray(green[::step, ::step]))
        cells = np.asarray(samples.resize((columns, rows), Image.Resampling.BOX), np.float32)
        return cls(cells, picture.width, picture.height)

    def differs(self, other: "Scene", boxes: Array) -> bool:
        """Whether a cell changed that neither faces, boxes (N, 4) x1, y1, x2, y2 in pixels, nor bodies cover.

        A change of all cells alike is one of light or exposure and does not count.
        """
        if self.cells.shape != other.cells.shape:
            return True
        change = (self.cells - other.cells)[~self._covered(boxes)]
        return bool(change.size and np.abs(change - np.median(change)).max() > MIN_CHANGE)

    def _covered(self, boxes: Array) -> NDArray[np.bool_]:
        """(rows, columns) the cells that a box, its surroundings or the body under it touch."""
        rows, columns = self.cells.shape
        covered = np.zeros((rows, columns), bool)
        to_cells = np.array([columns / self.width, rows / self.height] * 2)
        width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        face = boxes + np.stack([-width, -height, width, height], axis=-1) * MARGIN
        body = boxes + np.stack([-width, height, width, height], axis=-1) * SHOULDERS
        body[:, 3] = self.height
        for x1, y1, x2, y2 in np.concatenate([face, body]) * to_cells:
            left, top = max(0, math.floor(x1)), max(0, math.floor(y1))
            covered[top : max(0, math.ceil(y2)), left : max(0, math.ceil(x2))] = True
        return covered
