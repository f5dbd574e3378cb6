"""Decodes the networks' raw outputs to candidate faces, in pixels of the network's input.

Outputs are relative to priors (an anchor in a cell of a level's grid). Scores are decoded first; the 104 coefficients
of a prior are decoded only where its score is high enough.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.vision.arrays import Array
from service.vision.rotation import IDENTITY, normalize

FACE_HEIGHT_CM: Final = 20.0  # height of a face as large as its prior; a pose's scale is coded relative to it
LOG_LIMIT: Final = 4.0  # limit of log sizes and scales; exp of it is 55, and no face differs that much from its prior
EXP_LIMIT: Final = 80.0  # exp of it is near float32's largest number
MAX_CANDIDATES: Final = 1000  # the best that are kept, so that no picture can make suppression slow

# By name: "detection" (1, N, 5), "pose" (1, N, 7), "identity" (1, N, 50) and "expression" (1, N, 46) of N priors, or
# "pose" (N, 7), "identity" (N, 50), "expression" (N, 46) and "gaze" (N, 8) of N crops. Not yet decoded.
RawOutputs = Mapping[str, Array]


@dataclass(frozen=True)
class Level:
    """A grid of cells of stride x stride pixels with one prior for each anchor (width, height), pixels."""

    stride: int
    anchors: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Priors:
    """N priors, in pixels of the network's input, float32.

    centre: (N, 2) x, y. size: (N, 2) width, height.
    """

    centre: Array
    size: Array

    @cached_property
    def scale(self) -> Array:
        """Lengths (N,) in pixels that origin and scale of a pose are coded in."""
        scale: Array = np.sqrt(self.size[:, 0] * self.size[:, 1])
        return scale


@dataclass(frozen=True)
class Detections:
    """K scored boxes whose coefficients are not yet decoded, in descending score.

    index: (K,) of their priors. score: (K,) in [0, 1]. box: (K, 4) x1, y1, x2, y2 in pixels of the network's input.
    """

    index: NDArray[np.intp]
    score: Array
    box: Array

    def take(self, index: NDArray[np.intp]) -> "Detections":
        """The detections of an index, in its order."""
        return Detections(self.index[index], self.score[index], self.box[index])


@dataclass(frozen=True)
class Pose:
    """Poses of K heads under weak perspective, in pixels of the network's input.

    quaternion: (K, 4) unit, head to camera. origin: (K, 2) pixels where the head frame's origin projects to.
    scale: (K,) pixels per cm.
    """

    quaternion: Array
    origin: Array
    scale: Array


@dataclass(frozen=True)
class Candidates:
    """K faces before suppression, in pixels of the network's input, float32, in descending score.

    score: (K,) in [0, 1]. box: (K, 4) x1, y1, x2, y2. pose: of K heads. identity: (K, 50) standard deviations.
    expression: (K, 46) in [0, 1].
    """

    score: Array
    box: Array
    pose: Pose
    identity: Array
    expression: Array


def build_priors(levels: Sequence[Level], side: int) -> Priors:
    """The priors of a square input of side pixels: level by level, cells row by row, the anchors of a cell together."""
    centres, sizes = [], []
    for level in levels:
        axis = (np.arange(side // level.stride, dtype=np.float32) + 0.5) * level.stride
        y, x = np.meshgrid(axis, axis, indexing="ij")
        cells = np.stack([x.ravel(), y.ravel()], axis=-1)
        anchors = np.asarray(level.anchors, np.float32)
        centres.append(np.repeat(cells, len(anchors), axis=0))
        sizes.append(np.tile(anchors, (len(cells), 1)))
    return Priors(np.concatenate(centres), np.concatenate(sizes))


def detect(detection: Array, priors: Priors, min_score: float) -> Detections:
    """Decodes raw detections (1, N, 5) or (N, 5): boxes with at least min_score, the best MAX_CANDIDATES of them."""
    raw = detection.reshape(-1, 5)
    logit = raw[:, 4]
    threshold = math.log(min_score) - math.log1p(-min_score) if min_score < 1 else math.inf
    (index,) = (logit >= threshold).nonzero()  # a NaN is above no threshold
    if len(index) > MAX_CANDIDATES:
        index = index[np.argpartition(-logit[index], MAX_CANDIDATES)[:MAX_CANDIDATES]]
    index = index.take((-logit.take(index)).argsort(kind="stable"))
    raw, size = raw.take(index, axis=0), priors.size.take(index, axis=0)
    centre = priors.centre.take(index, axis=0) + raw[:, :2] * size
    half = size * _exp(raw[:, 2:4]) / 2
    return Detections(index, sigmoid(raw[:, 4]), np.concatenate([centre - half, centre + half], axis=-1))


def decode(raw: RawOutputs, priors: Priors, detections: Detections) -> Candidates:
    """Decodes pose and coefficients of detections from a network's raw outputs."""
    index = detections.index
    return Candidates(
        score=detections.score,
        box=detections.box,
        pose=decode_pose(
            raw["pose"].reshape(-1, 7).take(index, axis=0),
            priors.centre.take(index, axis=0),
            priors.scale.take(index),
        ),
        identity=raw["identity"].reshape(len(priors.centre), -1).take(index, axis=0),
        expression=sigmoid(raw["expression"].reshape(len(priors.centre), -1).take(index, axis=0)),
    )


def decode_pose(raw: Array, centre: Array, scale: Array) -> Pose:
    """Decodes raw poses (K, 7) at priors with these centres (K, 2) and scales (K,), or at one that all share.

    A raw pose of zeros is a frontal head of the prior's size at its centre.
    """
    return Pose(
        quaternion=normalize(raw[:, :4] + IDENTITY),
        origin=centre + raw[:, 4:6] * scale[:, None],
        scale=scale * _exp(raw[:, 6]) / FACE_HEIGHT_CM,
    )


def _exp(log: Array) -> Array:
    """Sizes and scales relative to the priors', of their logarithms."""
    relative: Array = np.exp(log.clip(-LOG_LIMIT, LOG_LIMIT))
    return relative


def sigmoid(x: Array) -> Array:
    """Logistic function 1 / (1 + exp(-x)) in x's dtype, without overflow."""
    y: Array = 1 / (1 + np.exp(np.minimum(-x, EXP_LIMIT)))  # half the time of (1 + tanh(x / 2)) / 2
    return y
