"""Landmarks and head pose by true yaw, of pictures whose pose is known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.vision.rotation import quaternion_to_euler
from training.evaluation.landmarks import YAW_BINS, normalised_mean_error

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class PoseMetrics:
    """Holds the errors in one bin of yaw: of `faces` faces with low < |yaw| <= high degrees (the first bin holds 0,
    too), of which `missed` are not found. Over those found: nme, percent, as in landmarks.py; yaw, pitch, roll, mean
    absolute errors in degrees; rotation, mean angle between predicted and true rotation in degrees. Near a yaw of 90
    degrees pitch and roll hardly differ in what they do, so that their errors say little there; the rotation's does."""

    low: float
    high: float
    faces: int
    missed: int
    nme: float
    yaw: float
    pitch: float
    roll: float
    rotation: float


def rotation_error(predicted: Floats, true: Floats) -> Floats:
    """(M,) degrees between rotations given as unit quaternions (M, 4)."""
    cosine = np.abs((predicted * true).sum(axis=-1))
    error: Floats = np.degrees(2 * np.arccos(np.minimum(cosine, 1)))
    return error


def angle_errors(predicted: Floats, true: Floats) -> Floats:
    """(M, 3) absolute errors in degrees of yaw, pitch and roll of unit quaternions (M, 4), the short way round."""
    difference = np.stack(quaternion_to_euler(predicted), axis=-1) - np.stack(quaternion_to_euler(true), axis=-1)
    error: Floats = np.abs((difference + 180) % 360 - 180)
    return error


def pose_metrics(points: Floats, true_points: Floats, pose: Floats, true_pose: Floats) -> tuple[PoseMetrics, ...]:
    """A row for each bin of |yaw|. points, true_points: (M, 68, 2) pixels. pose, true_pose: (M, 4) unit quaternions. A
    predicted face of NaN is a miss."""
    yaw = np.abs(quaternion_to_euler(true_pose)[0])
    found = np.isfinite(points).all(axis=(1, 2))
    rows = []
    for low, high in YAW_BINS:
        bin_ = ((yaw > low) | (low == 0)) & (yaw <= high)
        there = bin_ & found
        nme = normalised_mean_error(points[there], true_points[there])
        angles = angle_errors(pose[there], true_pose[there])
        rotation = rotation_error(pose[there], true_pose[there])
        means = [_mean(values) for values in (nme, *angles.T, rotation)]
        rows.append(PoseMetrics(low, high, int(bin_.sum()), int((bin_ & ~found).sum()), *means))
    return tuple(rows)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")
