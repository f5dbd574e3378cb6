"""The project's own archives: uncompressed tars of pictures with annotations.jsonl (see training/data/archives.py)."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from training.data.archives import read_archive
from training.evaluation.datasets.sample import Sample, existing


def read(path: Path) -> Iterator[Sample]:
    """Samples of one tar, with boxes, 68 points or clips as its annotations have them."""
    for picture in read_archive(existing(path, "a tar with annotations.jsonl")):
        annotation = picture.annotation
        boxes = landmarks = ignored = None
        if "boxes" in annotation:
            boxes = np.array(annotation["boxes"], np.float64).reshape(-1, 4)
            ignored = np.array(annotation.get("invalid", [0] * len(boxes)), bool)
        if "landmarks68" in annotation:
            landmarks = np.array(annotation["landmarks68"], np.float64).reshape(-1, 68, 2)
        yield Sample(
            name=picture.name,
            read=picture.decode,
            boxes=boxes,
            ignored=ignored,
            landmarks=landmarks,
            group=annotation.get("clip", ""),
        )


def read_every_second(path: Path) -> Iterator[Sample]:
    """Half of the samples: frames of a clip that are 0.16 s apart hardly differ in the range of what they show."""
    return islice(read(path), 0, None, 2)
