"""One annotated picture of a data set, whatever the set's own layout."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.vision.arrays import Pixels

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Sample:
    """A picture and what its data set says about it, coordinates as annotated, in pixels of the picture as stored.

    read: decodes it, (H, W, 3) uint8 RGB. boxes: (M, 4) x1, y1, x2, y2 of all faces, or None where they are not
    annotated. ignored: (M,) bool, faces that the annotation calls invalid. landmarks: (K, 68, 2) of annotated faces,
    perhaps not all of the picture's, or None. Of those, where known: yaw (K,) degrees, quaternion (K, 4) and expression
    (K, 46) as in service.vision.faces. group: clip or scenario.
    """

    name: str
    read: Callable[[], Pixels]
    boxes: Floats | None = None
    ignored: NDArray[np.bool_] | None = None
    landmarks: Floats | None = None
    yaw: Floats | None = None
    quaternion: Floats | None = None
    expression: Floats | None = None
    group: str = ""


def read_rgb(path: Path) -> Pixels:
    """(H, W, 3) uint8 of a picture file, as stored: annotations know nothing of an EXIF orientation."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def later(path: Path) -> Callable[[], Pixels]:
    """Reads the file when called."""
    return partial(read_rgb, path)


def existing(path: Path, what: str) -> Path:
    """The path, if it is there. Raises FileNotFoundError that says what was expected."""
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there; expected {what}")
    return path
