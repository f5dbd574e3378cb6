"""Scene change detection: whether a new face may have come into the picture, far cheaper than a network.

The picture is averaged to a thumbnail of grey cells. What has changed since the last detection, apart from known faces
and the bodies below them, may be a new face.
"""

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.vision.arrays import Array
from service.vision.image import Picture

THUMBNAIL_SIDE: Final = 32  # cells along the picture's longer side
CELL_SAMPLES: Final = 6  # pixels of a cell along each axis that are averaged: the mean has a sixth of a pixel's noise
MIN_CHANGE: Final = 10.0  # grey levels of 255; a camera's noise moves a cell by about 1

# What moves with a face, in sizes of its box to each side: hair and hands around it, and the body below.
FACE_MARGIN: Final = 0.5
BODY_MARGIN: Final = 1.0


@dataclass(frozen=True)
class SceneThumbnail:
    """A picture of width x height pixels as grey cells (rows, columns), 0 to 255, float32."""

    cells: Array
    width: int
    height: int

    @classmethod
    def of(cls, picture: Picture) -> Self:
        """The thumbnail of a picture."""
        green = picture.pixels[:, :, 1]  # the channel closest to luminance, without a conversion
        cell = max(green.shape) / THUMBNAIL_SIDE
        step = max(1, int(cell / CELL_SAMPLES))
        rows, columns = (max(1, round(side / cell)) for side in green.shape)
        samples = Image.fromarray(np.ascontiguousarray(green[::step, ::step]))
        cells = np.asarray(samples.resize((columns, rows), Image.Resampling.BOX), np.float32)
        return cls(cells, picture.width, picture.height)

    def differs(self, other: "SceneThumbnail", boxes: Array) -> bool:
        """Whether a cell differs that no known face and no body below one covers.

        boxes: (N, 4) of the faces, x1, y1, x2, y2 in pixels. The same change in all cells is one of light or exposure
        and is ignored.
        """
        if self.cells.shape != other.cells.shape:
            return True
        change = (self.cells - other.cells)[~self._covered(boxes)]
        return bool(change.size and np.abs(change - np.median(change)).max() > MIN_CHANGE)

    def _covered(self, boxes: Array) -> NDArray[np.bool_]:
        """Mask (rows, columns) of the cells that a face, its surroundings or the body below it touch."""
        rows, columns = self.cells.shape
        covered = np.zeros((rows, columns), bool)
        across, down = columns / self.width, rows / self.height  # cells to a pixel
        for x1, y1, x2, y2 in boxes.tolist():
            width, height = x2 - x1, y2 - y1
            side, above = width * FACE_MARGIN, height * FACE_MARGIN
            face = (x1 - side, y1 - above, x2 + side, y2 + above)
            body = (x1 - width * BODY_MARGIN, y1 + height * BODY_MARGIN, x2 + width * BODY_MARGIN, self.height)
            for left, top, right, bottom in (face, body):
                first_row, first_column = max(0, math.floor(top * down)), max(0, math.floor(left * across))
                end_row, end_column = max(0, math.ceil(bottom * down)), max(0, math.ceil(right * across))
                covered[first_row:end_row, first_column:end_column] = True
        return covered
