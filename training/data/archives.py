"""Reads the training archives: uncompressed tars with WebP pictures and one JSON object a picture.

Every annotated or detectable face becomes one `FaceRecord`; the region it names is what the teacher looks at.
"""

import io
import json
import tarfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SINGLE_FACES = (
    *("landmarks_train", "faces_approx", "faces_unlabelled", "expressions_unlabelled"),
    "faces_unlabelled_1",  # last, so that the pictures before it keep their index in what was packed without it
)
GROUP_PHOTOS = ("multi_train_0", "multi_train_1", "multi_train_2")
DETECTED_PHOTOS = ("multi_train_3",)  # boxes are a detector's; `invalid` are those it was not sure of
VALIDATION = "landmarks_val"
GROUP_SIDE, SINGLE_SIDE = 432, 288  # pixels; the group photos' own long side, and the network's input

HELD_OUT_CLIPS = ("d2", "d11")  # of expressions_unlabelled: what expressions are measured on, never trained

# The annotated boxes of group photos measured against the box of the 68 points: its width and height, and how far its
# centre lies above theirs, of their height. Medians over 534 frontal faces (training/labels/box_statistics.py): such
# boxes begin on the forehead and end above the chin.
BOX_WIDTH_OVER_POINTS, BOX_HEIGHT_OVER_POINTS, BOX_SHIFT_UP = 1.11, 1.13, 0.167

# Archives with boxes that lie left of the face, by this share of their width (median over 6,258 frontal faces; WIDER's
# boxes do not). It is a habit of the annotation, so a mirrored picture keeps it. The detector's boxes of multi_train_3,
# which were brought to the others' definition, have -0.037.
LEANING_BOXES, BOX_LEAN = ("multi_train_0", "multi_train_1", "multi_train_3"), -0.046


@dataclass(frozen=True)
class PhotoSet:
    """Archives whose pictures are packed and labelled together.

    archives: names without .tar. side: pixels of the square each picture is packed into. boxes: whether every face has
    an annotated box. detected: whether that is a detector's, so that a face nobody can label may be none.
    """

    archives: tuple[str, ...]
    side: int
    boxes: bool
    detected: bool = False

    def among(self, chosen: Collection[str]) -> "PhotoSet":
        """The same with only the archives that are in `chosen`."""
        return replace(self, archives=tuple(name for name in self.archives if name in chosen))


SETS = {
    "singles": PhotoSet(SINGLE_FACES, SINGLE_SIDE, boxes=False),
    "groups": PhotoSet(GROUP_PHOTOS, GROUP_SIDE, boxes=True),
    "detected": PhotoSet(DETECTED_PHOTOS, GROUP_SIDE, boxes=True, detected=True),
}
ARCHIVES = tuple(name for photos in SETS.values() for name in photos.archives)


def sets_of(archives: Collection[str]) -> dict[str, PhotoSet]:
    """The sets that hold any of these archives, with only these."""
    sets = {name: photos.among(archives) for name, photos in SETS.items()}
    return {name: photos for name, photos in sets.items() if photos.archives}


@dataclass(frozen=True)
class Picture:
    """Holds a picture of an archive. name: path in the archive. annotation: its JSON object. encoded: the picture's
    bytes."""

    name: str
    annotation: dict[str, Any]
    encoded: bytes

    def decode(self) -> np.ndarray:
        """RGB, (H, W, 3) uint8."""
        return np.asarray(Image.open(io.BytesIO(self.encoded)).convert("RGB"))


@dataclass(frozen=True)
class FaceRecord:
    """One face of a picture: box (4,) x1 y1 x2 y2 and, where annotated, its 68 points (68, 2); pixels.

    invalid: the annotation says that it may be no face, or none to be made out.
    """

    picture: str
    box: np.ndarray
    points: np.ndarray | None = field(default=None)
    invalid: bool = False


def read_archive(path: Path) -> Iterator[Picture]:
    """The pictures of one tar in the order of its annotations.jsonl."""
    with tarfile.open(path) as tar:
        lines = tar.extractfile("annotations.jsonl")
        if lines is None:
            raise ValueError(f"{path} holds no annotations.jsonl; expected one JSON object a picture in it")
        for line in lines.read().decode().splitlines():
            annotation = json.loads(line)
            member = tar.extractfile(annotation["image"])
            if member is None:
                raise ValueError(f"{path} names {annotation['image']} but does not hold it")
            yield Picture(annotation["image"], annotation, member.read())


def box_of_points(points: np.ndarray) -> np.ndarray:
    """The box (..., 4) an annotator would draw around a face with these points (..., 68, 2)."""
    low, high = points.min(axis=-2), points.max(axis=-2)
    size = high - low
    centre = (low + high) / 2 - [0, BOX_SHIFT_UP] * size
    half = size * [BOX_WIDTH_OVER_POINTS / 2, BOX_HEIGHT_OVER_POINTS / 2]
    return np.concatenate([centre - half, centre + half], axis=-1)


def faces_of(picture: Picture) -> list[FaceRecord]:
    """Every face that the annotation of a picture names; a picture without any holds one in its middle half."""
    annotation = picture.annotation
    if "boxes" in annotation:
        invalid = annotation.get("invalid", [0] * len(annotation["boxes"]))
        return [
            FaceRecord(picture.name, np.array(box, np.float32), invalid=bool(bad))
            for box, bad in zip(annotation["boxes"], invalid, strict=True)
        ]
    for key in ("landmarks68", "landmarks68_approximate"):
        if key in annotation:
            faces = [np.array(points, np.float32) for points in annotation[key]]
            return [FaceRecord(picture.name, box_of_points(points).astype(np.float32), points) for points in faces]
    width, height = annotation["size"]
    return [FaceRecord(picture.name, np.array([width / 4, height / 4, width * 3 / 4, height * 3 / 4], np.float32))]
