"""The pictures that frames are measured on: 1, 5, 9 and 20 faces in 1280 x 720 pixels, drawn from the face model.

`python -m training.render.group_pictures` has made them.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from service.vision.image import Picture, decode
from service.vision.nms import iou

PICTURES = Path(__file__).with_name("pictures")
NAMES = {1: "one_face.webp", 5: "five_faces.webp", 9: "nine_faces.webp", 20: "twenty_faces.webp"}

LEAST_IOU = 0.3  # low, since one system's box ends at the brows and another's at the hair


@dataclass(frozen=True)
class GroupPicture:
    """Holds a picture of several faces. picture: with all its pixels. boxes: (N, 4) of its faces, x1, y1, x2, y2 in
    pixels."""

    picture: Picture
    boxes: np.ndarray

    def found(self, boxes: np.ndarray) -> int:
        """How many of the faces have a box among boxes (M, 4) to themselves that lies about them, by LEAST_IOU."""
        overlaps = iou(self.boxes, boxes)
        found = 0
        for row in overlaps:
            if row.max(initial=0) >= LEAST_IOU:
                overlaps[:, row.argmax()] = 0  # taken
                found += 1
        return found


def group_pictures() -> dict[int, GroupPicture]:
    """The pictures by how many faces there are."""
    boxes = json.loads((PICTURES / "boxes.json").read_text())
    return {
        number: GroupPicture(decode((PICTURES / name).read_bytes(), 1 << 16, 25.0), np.array(boxes[name]))
        for number, name in NAMES.items()
    }
