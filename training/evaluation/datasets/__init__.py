"""Readers of annotated photos, each data set in its own layout, and what is measured on which."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from training.data.archives import HELD_OUT_CLIPS
from training.evaluation.datasets import (
    aflw2000,
    afw,
    archives,
    fddb,
    lfw,
    points,
    rendered,
    turned,
    videos,
    wider,
)
from training.evaluation.datasets.sample import Sample


class Measure(Enum):
    """What can be measured on a data set."""

    DETECTION = "detection"
    LANDMARKS = "landmarks"
    EXPRESSION = "expression"
    INVARIANCE = "invariance"
    EYES = "eyes"  # against the teacher
    LIDS = "lids"
    RANGE = "range"  # of coefficients, beside the teacher's
    EXACT = "exact"  # expressions and eyes, against what the set knows
    POSES = "poses"
    JITTER = "jitter"
    SKIN = "skin"


@dataclass(frozen=True)
class DataSet:
    """Describes a data set. read: samples of a folder or file. place: where it lies under the folder of all data,
    unless told otherwise. groups: the clips that are measured, all where empty."""

    read: Callable[[Path], Iterator[Sample]]
    place: str
    measures: tuple[Measure, ...]
    groups: tuple[str, ...] = ()


_LANDMARKS = (Measure.LANDMARKS, Measure.INVARIANCE)
DATA_SETS = {
    "multi_val": DataSet(archives.read, "multi_val.tar", (Measure.DETECTION,)),
    "multi_train_2": DataSet(archives.read, "multi_train_2.tar", (Measure.DETECTION,)),
    "landmarks_val": DataSet(
        archives.read,
        "landmarks_val.tar",
        (*_LANDMARKS, Measure.EYES, Measure.LIDS, Measure.JITTER, Measure.SKIN),
    ),
    "landmarks_train": DataSet(archives.read, "landmarks_train.tar", (Measure.LANDMARKS,)),
    "expressions_unlabelled": DataSet(
        archives.read, "expressions_unlabelled.tar", (Measure.EXPRESSION, Measure.EYES), HELD_OUT_CLIPS
    ),
    "expressions_all": DataSet(archives.read_every_second, "expressions_unlabelled.tar", (Measure.RANGE,)),
    "rendered_val": DataSet(rendered.read, "multi_val.tar", (Measure.EXACT,)),
    "turned_val": DataSet(turned.read, "landmarks_val.tar", (Measure.POSES,)),
    "fddb": DataSet(fddb.read, "fddb", (Measure.DETECTION,)),
    "wider_val": DataSet(wider.read, "wider", (Measure.DETECTION,)),
    "afw": DataSet(afw.read, "afw", (Measure.DETECTION,)),
    "afw_points": DataSet(points.read, "300w/afw", (Measure.LANDMARKS,)),
    "helen_test": DataSet(points.read, "300w/helen/testset", _LANDMARKS),
    "lfpw_test": DataSet(points.read, "300w/lfpw/testset", _LANDMARKS),
    "aflw2000": DataSet(aflw2000.read, "AFLW2000", (Measure.LANDMARKS,)),
    "lfw": DataSet(lfw.read, "lfw", (Measure.EXPRESSION, Measure.INVARIANCE)),
    "300vw": DataSet(videos.read, "300VW_Dataset_2015_12_14", (Measure.LANDMARKS,)),
}
