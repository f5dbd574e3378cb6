"""Raw outputs for training.scripts.vectors, made up so that each part of the decoding has to show itself.

Raw numbers are whole multiples of 1 / UNIT: float32 holds them exactly, and a port reads them without rounding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.vision.decoding import FACE_HEIGHT_CM, Level, Priors, build_priors
from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES

UNIT: Final = 512
COLUMNS: Final = 5 + 7 + IDENTITY_MODES + EXPRESSIONS  # detection, pose, identity, expression
BACKGROUND: Final = -8 * UNIT  # raw score of a prior without a row: 0.0003
SMALL: Final = (Level(8, ((14, 14),)), Level(16, ((24, 24),)), Level(32, ((48, 48),)))  # 84 priors at 64 pixels
HALVES: Final = (Level(16, ((16, 16), (16, 8))),)  # the IoU of a cell's two priors is 0.5, exactly
QUATERNION: Final = slice(5, 9)  # columns of a row
W: Final = 8
ORIGIN: Final = slice(9, 11)
SCALE: Final = 11

Row = NDArray[np.int64]
Rows = Mapping[int, Sequence[int] | Row]
Box = tuple[float, float, float, float]  # x, y, width, height, pixels of the square
Logits = Mapping[Box, Sequence[float]]  # of the priors that see a face, by its box


@dataclass(frozen=True)
class Published:
    """Holds what is needed of the published networks: MFN's side and levels, SFN's crop factor."""

    side: int
    levels: tuple[Level, ...]
    crop_factor: float


@dataclass(frozen=True)
class Case:
    """Raw outputs, by prior, and how they are to be decoded. Columns that a row lacks are 0."""

    name: str
    rows: Rows
    side: int = 64
    levels: tuple[Level, ...] = SMALL
    width: int = 640
    height: int = 480
    min_score: float = 0.5
    max_iou: float = 0.5
    max_faces: int = 20
    field_of_view: float = field(default=63.0)


def random_raw(random: np.random.Generator, number: int) -> Row:
    """(number, 108) raw outputs as networks give them: heads turned by up to a right angle, resting expressions."""
    table = random.normal(0, 0.25, (number, COLUMNS))
    table[:, 12:62] *= 4
    table[:, 62:] = table[:, 62:] * 6 - 2
    return np.rint(table * UNIT).astype(np.int64)


def sees(random: np.random.Generator, priors: Priors, prior: int, box: Box, logit: float) -> Row:
    """A row in which a prior sees a head in about this box."""
    row: Row = random_raw(random, 1)[0]
    centre, size, length = priors.centre[prior], priors.size[prior], priors.scale[prior]
    middle = np.array(box[:2]) + np.array(box[2:]) / 2
    exact = np.concatenate([(middle - centre) / size, np.log(np.array(box[2:]) / size)])
    row[:4] = np.rint((exact + random.normal(0, 0.02, 4)) * UNIT)
    row[4] = round(logit * UNIT)
    row[ORIGIN] = np.rint((middle - centre) / length * UNIT)
    row[SCALE] = round(float(np.log(box[3] / FACE_HEIGHT_CM * 20 / length)) * UNIT)
    return row


def faces_seen(random: np.random.Generator, priors: Priors, faces: Logits) -> dict[int, Row]:
    """Rows of several faces, each seen by the priors nearest to it in place and size."""
    rows: dict[int, Row] = {}
    for box, logits in faces.items():
        middle = np.array(box[:2]) + np.array(box[2:]) / 2
        distance = np.hypot(*(priors.centre - middle).T) / box[2] + 2 * np.abs(np.log(priors.size[:, 0] / box[2]))
        distance[list(rows)] = np.inf
        for prior, logit in zip(np.argsort(distance, kind="stable").tolist(), logits, strict=False):
            rows[prior] = sees(random, priors, prior, box, logit)
    return rows


def cases(random: np.random.Generator, published: Published) -> list[Case]:
    """All cases: each is there for one part of the decoding."""
    small, full = build_priors(SMALL, 64), build_priors(published.levels, published.side)

    def of_small(faces: Logits) -> dict[int, Row]:
        return faces_seen(random, small, faces)

    one: Box = (10, 12, 20, 24)
    other: Box = (38, 30, 22, 20)
    turned = of_small({one: [2, 1.5, 1], other: [1, 0.5]})
    for row, w in zip(turned.values(), (-3, -2.5, -4, -1, -1), strict=True):
        row[W] = w * UNIT
    last = list(turned)[-1]
    turned[last][QUATERNION] = [0, 0, 0, -UNIT]  # a quaternion of length 0
    opposed = of_small({one: [2, 1.8]})
    for row, x in zip(opposed.values(), (UNIT, -UNIT), strict=True):  # w is nearly 0: x and -x are nearly one rotation
        row[QUATERNION] = [x, 0, 0, -UNIT + 8]
    wild = random_raw(random, 3) * 40
    wild[:, :5] = np.array([[0.5, 0, 6, 5, 30], [0, 0.5, 6, -5, 9], [0.25, 0, -5, -6, 2]]) * UNIT
    wild[:, SCALE] = np.array([6, -6, -5]) * UNIT
    grid: Logits = {(x, y, 14, 14): [2 - (x + 3 * y) / 100] for x in (0, 16, 32, 48) for y in (0, 24, 48)}
    # Of all priors' raw scores no two are alike, so that the order is the same for every way to sort.
    crowd = {i: [0, 0, 0, 0, i * 733 % len(full.centre) - 400] for i in range(len(full.centre))}
    faces: Logits = {
        (40, 80, 48, 56): [3, 2.5, 1.5, 0, -1, -1.5], (100, 70, 30, 36): [2, 1, 0.5, -0.5],
        (200, 90, 110, 120): [2.5, 2.4, 0.2], (150, 180, 14, 15): [0.3, 0.1, -1],
    }  # fmt: skip
    return [
        Case("nothing", {}),
        Case("witnesses-alone", of_small({one: [-0.5, -1]})),
        Case("one", of_small({one: [1.25]})),
        Case("suppressed-and-merged", of_small({one: [3, 2, 0.5, -1, -1.2, -1.6, -1.9], other: [1, 0.9, -0.25]})),
        Case("ties", {i: [0, 0, 0, 0, UNIT] for i in range(len(small.centre))}, max_faces=5),
        Case("merged-ties", of_small({(4, 4, 14, 14): [1, 1, 1], (30, 30, 24, 24): [1, 1, 1]})),
        Case("most-faces", of_small(grid), max_faces=4),
        Case("past-the-edge", of_small({(-9, -6, 24, 30): [2, 1], (50, 44, 30, 34): [1.5, 0.5]})),
        Case("score-at-threshold", {0: [0, 0, 0, 0, 0], 3: [0, 0, 0, 0, -1], 30: [0, 0, 0, 0, 1]}),
        Case("overlap-at-threshold", {0: [0, 0, 0, 0, 512], 1: [0, 0, 0, 0, 256]}, levels=HALVES),
        Case("overlap-over-threshold", {0: [0, 0, 0, 0, 512], 1: [0, 0, 0, 0, 256]}, levels=HALVES, max_iou=0.49),
        Case("negative-w", turned),
        Case("opposed-quaternions", opposed),
        Case("clamped", {5: wild[0].tolist(), 70: wild[1].tolist(), 82: wild[2].tolist()}),
        Case("sure", {5: [0, 0, 0, 0, 40 * UNIT], 40: [0, 0, 0, 0, 9 * UNIT]}, min_score=1.0),
        Case("portrait", of_small({one: [2, 1], other: [1]}), width=667, height=1001, field_of_view=50.0),
        Case("enlarged", of_small({(2, 10, 14, 14): [2], (30, 20, 30, 30): [1]}), width=16, height=12),
        Case("crowd", crowd, published.side, published.levels, 1280, 720, max_faces=3),
        Case("published", faces_seen(random, full, faces), published.side, published.levels, 1920, 1080),
    ]
