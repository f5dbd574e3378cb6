"""Quarter turns of the Multiple Face Network's input, for pictures that show people lying down or upside down.

The network finds upright faces best. It finds faces that lie on their side less often, and tells by how much they are
rotated. Most of those that are upside down it also finds, but takes them for upright ones. So the input is inferred
again, turned, where its faces call for it.

A turn is a number of quarter turns, clockwise as seen, 0 to 3, that the input is turned by.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import log
from typing import Final

import numpy as np

from service.vision.arrays import Array, Pixels
from service.vision.decoding import Candidates, Detections
from service.vision.rotation import euler_to_quaternion, multiply, normalize, twist_angle
from service.vision.upside_down import UpsideDown

MIN_VOTE_SCORE: Final = 0.2  # of candidates that tell how faces are turned; below, most are no faces
# Best score of a picture below which its faces may be upside down. Of pictures as they are and upside down it is
# reached by 62 and 4 % in multi_val, and by 98 and 1 % in landmarks_val.
UPRIGHT_SCORE: Final = 0.75
# Least log odds with which such a picture is inferred upside down: a probability of 0.2. These are 9 in place of 29 %
# of the upright pictures of multi_train_3, which the network was not trained on, and 1.7 in place of 5.0 % in
# landmarks_train; of those that are upside down it misses 0.5 % in both, by weights fitted without them
# (training.scripts.upside_down). At 0.1 it would be 12 and 2.1 %, missing 0.2 and 0.3 %; at 0.3 it would be 8 and
# 1.5 %, missing 0.9 and 1.0 %.
UPSIDE_DOWN_LOG_ODDS: Final = log(0.2 / 0.8)


def turn_square(square: Pixels, turn: int) -> Pixels:
    """The network's input (side, side, 3), turned."""
    return np.ascontiguousarray(np.rot90(square, -turn)) if turn else square


def turn_boxes_back(detections: Detections, side: int, turn: int) -> Detections:
    """Converts detections in a turned input of side pixels to those in the input as it was."""
    if not turn:
        return detections
    corners = _turn_back(detections.box.reshape(-1, 2, 2), side, turn)
    return replace(detections, box=np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=-1))


def turn_poses_back(candidates: Candidates, side: int, turn: int) -> Candidates:
    """Converts candidates whose poses are in a turned input of side pixels to those in the input as it was.

    Their boxes are there already, see turn_boxes_back.
    """
    if not turn:
        return candidates
    pose = candidates.pose
    back = euler_to_quaternion(0, 0, 90.0 * turn)
    quaternion = normalize(multiply(back, pose.quaternion)).astype(np.float32)
    return replace(candidates, pose=replace(pose, quaternion=quaternion, origin=_turn_back(pose.origin, side, turn)))


def _turn_back(points: Array, side: int, turn: int) -> Array:
    """Points (..., 2) in the input as it was, of those in the turned one, whose middle stays."""
    for _ in range(turn):
        points = np.stack([points[..., 1], side - points[..., 0]], axis=-1)
    return points


def best_score(candidates: Candidates) -> float:
    """The best score of candidates, 0 where there are none."""
    return float(candidates.score[0]) if len(candidates.score) else 0.0


def next_turn(candidates: Sequence[Candidates], turn: int, upside_down: UpsideDown | None = None) -> int:
    """The turn with which a picture should be inferred again, after an inference with `turn`; `turn` itself for none.

    candidates: of each input of that inference, with poses in the input as it was. Where most faces, weighted by their
    scores, are nearest to another quarter turn, it is that which makes them upright; otherwise it is half a turn where
    no score reaches UPRIGHT_SCORE and upside_down, if given, does not tell that they are upright. Where nothing shows
    how an input that lies on its side should be turned, it is the picture as it is: most are upright.
    """
    score = np.concatenate([part.score for part in candidates])
    (votes,) = (score >= MIN_VOTE_SCORE).nonzero()
    opposite = (turn + 2) % 4
    if not len(votes):
        return 0 if turn % 2 else opposite
    score = score[votes]
    quaternion = np.concatenate([part.pose.quaternion for part in candidates])[votes]
    quarters = np.rint(twist_angle(quaternion) / 90).astype(int) % 4
    upright = int(np.bincount(quarters, score, minlength=4).argmax())
    if upright != turn or score.max() >= UPRIGHT_SCORE:
        return upright
    if upside_down is None:
        return opposite
    identity = np.concatenate([part.identity for part in candidates])[votes]
    return opposite if upside_down.log_odds(score, identity) >= UPSIDE_DOWN_LOG_ODDS else turn
