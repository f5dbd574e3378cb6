"""The networks' raw outputs to candidate faces, in pixels of the network's input.

Every prior (an anchor in a cell of a level's grid) says how far a face lies from it. Scores are looked at first;
the 104 coefficients of a prior are decoded only where it sees a face.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.vision.nms import Groups
from service.vision.rotation import Array, align_sign, normalize

FACE_HEIGHT_CM: Final = 20.0  # a face of the prior's size is about this high: scale is coded relative to it
LOG_LIMIT: Final = 4.0  # exp of it is 55: no face is that much larger or smaller than its prior
BOX_VOTE_POWER: Final = (
    2  # of the score that a candidate's box counts by: the box alone, coefficients count by the score
)
MAX_CANDIDATES: Final = 1000  # best scores looked at, so that no picture can make suppression slow
VOTE_SCORE_RATIO: Final = 0.25  # of the best score in a group; candidates below it have no say in what the face is

Raw = Mapping[str, Array]  # "detection" (1, N, 5), "pose" (N, 7), "identity" (N, 50), "expression" (N, 46), N or 1, N


@dataclass(frozen=True)
class Level:
    """A grid of cells of stride x stride pixels with one prior for each anchor (width, height), pixels."""

    stride: int
    anchors: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Priors:
    """centre: (N, 2) x, y. size: (N, 2) width, height. Pixels of the network's input, float32."""

    centre: Array
    size: Array

    @property
    def scale(self) -> Array:
        """(N,) the length in pixels that origin and scale of a pose are coded in."""
        return np.sqrt(self.size[:, 0] * self.size[:, 1])

    def take(self, index: NDArray[np.intp]) -> "Priors":
        return Priors(self.centre[index], self.size[index])


@dataclass(frozen=True)
class Detections:
    """Scored boxes before their coefficients, in descending score.

    index: (K,) of the prior. score: (K,) in [0, 1]. box: (K, 4) x1, y1, x2, y2.
    """

    index: NDArray[np.intp]
    score: Array
    box: Array

    def take(self, index: NDArray[np.intp]) -> "Detections":
        return Detections(self.index[index], self.score[index], self.box[index])


@dataclass(frozen=True)
class Pose:
    """quaternion: (K, 4) unit, head to camera. origin: (K, 2) pixels, of the head frame's origin. scale: (K,) pixels
    a cm."""

    quaternion: Array
    origin: Array
    scale: Array


@dataclass(frozen=True)
class Candidates:
    """K faces in pixels of the network's input, float32, in descending score.

    score: (K,). box: (K, 4) x1, y1, x2, y2. pose: of K. identity: (K, 50) standard deviations. expression: (K, 46)
    in [0, 1].
    """

    score: Array
    box: Array
    pose: Pose
    identity: Array
    expression: Array


def build_priors(levels: Sequence[Level], side: int) -> Priors:
    """The priors of a square input: levels in their order, cells row by row, the anchors of a cell together."""
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
    """Boxes with at least min_score, the best MAX_CANDIDATES of them, of raw detections (1, N, 5) or (N, 5)."""
    raw = detection.reshape(-1, 5)
    logit = raw[:, 4]
    threshold = np.log(min_score) - np.log1p(-min_score) if min_score < 1 else np.inf
    index = np.flatnonzero(logit >= threshold)  # a NaN is above no threshold
    if len(index) > MAX_CANDIDATES:
        index = index[np.argpartition(-logit[index], MAX_CANDIDATES)[:MAX_CANDIDATES]]
    index = index[np.argsort(-logit[index], kind="stable")]
    shift, log_size = raw[index, :2], np.clip(raw[index, 2:4], -LOG_LIMIT, LOG_LIMIT)
    centre = priors.centre[index] + shift * priors.size[index]
    half = priors.size[index] * np.exp(log_size) / 2
    return Detections(index, sigmoid(logit[index]), np.concatenate([centre - half, centre + half], axis=-1))


def decode(raw: Raw, priors: Priors, detections: Detections) -> Candidates:
    """The candidates of detections, from a network's raw outputs."""
    index = detections.index
    return Candidates(
        score=detections.score,
        box=detections.box,
        pose=decode_pose(raw["pose"].reshape(-1, 7)[index], priors.take(index)),
        identity=raw["identity"].reshape(len(priors.centre), -1)[index],
        expression=sigmoid(raw["expression"].reshape(len(priors.centre), -1)[index]),
    )


def vote(candidates: Candidates, groups: Groups) -> Candidates:
    """One candidate for each group of suppression: the mean of its members, each counting by its score, in its box by
    the score's power of BOX_POWER.

    Several priors look at a face; their mean errs less than the best of them does, in its box as in its coefficients.
    (Boxes so: Gidaris and Komodakis, "Object detection via a multi-region and semantic segmentation-aware CNN model",
    ICCV 2015, section 5.3.) A score tells how well its box fits, so that of boxes the good ones count for more: with a
    power of 2 in place of 1, AP50 rose from 63.6 to 64.5 on multi_train_2 and from 86.4 to 86.5 on multi_val, in
    int8; 4 takes 0.4 from the latter. The score stays the best one's.
    """
    score, best = candidates.score[groups.best], groups.best
    member = groups.member
    row = np.flatnonzero(member >= 0)
    row = row[candidates.score[row] >= VOTE_SCORE_RATIO * score[member[row]]]
    weight = np.zeros((len(best), len(row)), np.float32)
    weight[member[row], np.arange(len(row))] = candidates.score[row] / score[member[row]]
    box_weight = weight**BOX_VOTE_POWER
    weight /= weight.sum(axis=1, keepdims=True)
    box_weight /= box_weight.sum(axis=1, keepdims=True)
    quaternion = candidates.pose.quaternion
    return Candidates(
        score=score,
        box=box_weight @ candidates.box[row],
        pose=Pose(
            quaternion=normalize(weight @ align_sign(quaternion[best[member[row]]], quaternion[row])),
            origin=weight @ candidates.pose.origin[row],
            scale=np.exp(weight @ np.log(candidates.pose.scale[row])),
        ),
        identity=weight @ candidates.identity[row],
        expression=weight @ candidates.expression[row],
    )


def decode_pose(raw: Array, priors: Priors) -> Pose:
    """Poses of raw ones (K, 7) at K priors: a raw pose of zeros is a head that looks straight out of its prior."""
    length = priors.scale
    return Pose(
        quaternion=normalize(raw[:, :4] + np.array([0, 0, 0, 1], raw.dtype)),
        origin=priors.centre + raw[:, 4:6] * length[:, None],
        scale=length * np.exp(np.clip(raw[:, 6], -LOG_LIMIT, LOG_LIMIT)) / FACE_HEIGHT_CM,
    )


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), written so that it cannot overflow."""
    return (1 + np.tanh(x / 2)) / 2
