"""Multiple object tracking: assigns faces to tracks from frame to frame, by position and by identity.

Boxes are compared with each track's predicted box (as in SORT: Bewley et al., "Simple Online and Realtime Tracking",
ICIP 2016), identity coefficients with the track's running mean. Both costs are summed, and the assignment with the
least total is taken. Only the time between frames matters, not their number.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.tracking.assignment import assign
from service.tracking.kalman import KalmanBoxes, positions_of, sizes_of
from service.tracking.rows import Rows
from service.vision.arrays import Array
from service.vision.face_model import IDENTITY_MODES
from service.vision.faces import Faces
from service.vision.nms import iou

Ids = NDArray[np.int64]

MAX_AGE_SECONDS: Final = 1.0  # time without a face after which a track ends
MAX_TRACKS: Final = 200  # kept from before a frame, those with the latest faces; twice what a frame may show

MIN_IOU: Final = 0.1  # of a face's box and a track's predicted box that overlap
GATE_DEVIATIONS: Final = 3.0  # standard deviations of a track's position within which a face without overlap may be it
MAX_GROWTH: Final = 0.5  # of log size, for such a face; a factor of 1.6

# Distances of identities, in standard deviations of one frame's coefficients around the track's mean. Measured with
# models 0.1.0 on acted clips: a person's frames are at 0.9 (95 %: 2.0, 99 %: 2.3), other people's at 2.5 (5 %: 1.2).
SAME_IDENTITY: Final = 2.0  # below it: may be the same person, if the position fits roughly
OTHER_IDENTITY: Final = 3.0  # above it: another person, if the track was lost; the cost of identity is highest there
# Standard deviation of a frame's identity coefficients, in those of the face model's modes.
INITIAL_NOISE: Final = 0.15  # before it has been estimated in this stream
MIN_NOISE, MAX_NOISE = 0.12, 0.4  # a still face shows less noise than it will have when it turns
NOISE_SECONDS: Final = 10.0  # of visible faces that the noise is estimated from
MEAN_SECONDS: Final = 3.0  # of a clearly visible face that its mean identity is taken over
FIRST_SECONDS: Final = 1 / 30  # weight of a track's first frame, seconds
MAX_STEP: Final = 0.1  # weight of any other frame at most, seconds

IDENTITY_COST: Final = 1.0  # cost of an identity at OTHER_IDENTITY or above; a box without overlap costs 1 to 1.5
NEW_TRACK_COST: Final = 1.5 + IDENTITY_COST + 0.1  # more than the cost of any track that a face may be


@dataclass(frozen=True)
class Tracks(Rows):
    """T tracks, one for each person.

    track_id: (T,) ascending. motion: of their boxes. identity: (T, 50) running means. evidence: (T,) seconds of a
    clearly visible face in these means. last_seen: (T,) timestamps of their last faces, seconds.
    """

    track_id: Ids
    motion: KalmanBoxes
    identity: Array
    evidence: Array
    last_seen: Array

    @classmethod
    def start(cls, faces: Faces, track_id: Ids, timestamp: float) -> "Tracks":
        """New tracks of faces (N), with these ids (N,)."""
        return cls(
            track_id,
            KalmanBoxes.start(faces.box),
            faces.identity.astype(np.float64),
            faces.score.astype(np.float64) * FIRST_SECONDS,
            np.full(len(faces), timestamp, np.float64),
        )


class Tracker:
    """The tracks of one stream. Ids count up from 1 and are never reused."""

    def __init__(self, first_id: int = 1, noise: float = INITIAL_NOISE) -> None:
        """noise: of a frame's identity coefficients, standard deviation, until it is estimated."""
        self._tracks = Tracks.start(Faces.none(), np.zeros(0, np.int64), 0.0)
        self._next_id = first_id
        self._noise = noise
        self._now = -np.inf  # timestamp of the last frame

    def restarted(self) -> "Tracker":
        """A tracker for the same stream at another time: it has no tracks yet, and its ids go on counting."""
        return Tracker(self._next_id, self._noise)

    @property
    def alive(self) -> Ids:
        """Ids (T,) of the tracks that have not ended, visible in the last frame or lost."""
        return self._tracks.track_id

    @property
    def has_lost_tracks(self) -> bool:
        """Whether a track that has not ended had no face in the last frame."""
        return bool((self._tracks.last_seen < self._now).any())

    def identity_distance(self, identity: Array, track_id: Ids) -> Array:
        """Distances (N,) of identities (N, 50) from their tracks' means, in standard deviations of a frame."""
        row = np.searchsorted(self._tracks.track_id, track_id)
        return self._distance(identity - self._tracks.identity[row])

    def update(self, faces: Faces, timestamp: float) -> Ids:
        """Assigns the faces detected in a frame to tracks. Returns their ids (N,); a face without a track starts one.

        timestamp: of the frame, seconds.
        """
        tracks, elapsed = self._tracks_at(timestamp)
        row = assign(self._cost(tracks, faces), NEW_TRACK_COST)
        known, new = np.flatnonzero(row >= 0), np.flatnonzero(row < 0)
        if not len(new):  # as in most frames
            self._update_tracks(tracks, faces, row, timestamp, elapsed)
            return tracks.track_id[row]
        track_id = np.empty(len(faces), np.int64)
        track_id[known] = tracks.track_id[row[known]]
        track_id[new] = np.arange(self._next_id, self._next_id + len(new))
        self._update_tracks(tracks, faces.take(known), row[known], timestamp, elapsed)
        self._tracks = self._tracks.concatenate(Tracks.start(faces.take(new), track_id[new], timestamp))
        self._next_id += len(new)
        return track_id

    def follow(self, faces: Faces, track_id: Ids, timestamp: float) -> None:
        """Updates the tracks (N,) of faces that were followed into a frame; these tracks must not have ended.

        timestamp: of the frame, seconds.
        """
        tracks, elapsed = self._tracks_at(timestamp)
        self._update_tracks(tracks, faces, np.searchsorted(tracks.track_id, track_id), timestamp, elapsed)

    def _tracks_at(self, timestamp: float) -> tuple[Tracks, float]:
        """The tracks that have not ended at a later time, predicted for it, and the seconds since the last frame."""
        tracks, elapsed = self._tracks, timestamp - self._now
        recent = timestamp - tracks.last_seen <= MAX_AGE_SECONDS
        if not recent.all():
            tracks = tracks[recent]
        if len(tracks.track_id) > MAX_TRACKS:
            tracks = tracks[np.sort(np.argsort(-tracks.last_seen, kind="stable")[:MAX_TRACKS])]
        return replace(tracks, motion=tracks.motion.predict(elapsed)), elapsed

    def _cost(self, tracks: Tracks, faces: Faces) -> Array:
        """Costs (N, T) of assigning each face to each track; infinite where that is impossible."""
        motion, position = tracks.motion, positions_of(faces.box)
        size = motion.size
        overlap = iou(faces.box, motion.box)
        offset = position[:, None, :2] - motion.position[:, :2]
        distance = np.sqrt(np.vecdot(offset, offset)) / (size * motion.deviation * GATE_DEVIATIONS)
        growth = np.abs(np.log(sizes_of(position)[:, None] / size))
        identity_distance = self._distance(faces.identity[:, None] - tracks.identity)
        overlaps = overlap >= MIN_IOU
        near = (distance <= 1) & (growth <= MAX_GROWTH) & (identity_distance <= SAME_IDENTITY)
        # The identity of a visible face may be wrong for a moment, but a face in the place of a lost one must match it.
        other_person = (identity_distance > OTHER_IDENTITY) & (tracks.last_seen < self._now)
        position_cost = np.where(overlaps, 1 - overlap, 1 + distance / 2)
        cost = position_cost + IDENTITY_COST * np.minimum(identity_distance / OTHER_IDENTITY, 1)
        return np.where((overlaps | near) & ~other_person, cost, np.inf)

    def _update_tracks(
        self, tracks: Tracks, faces: Faces, row: NDArray[np.intp], timestamp: float, elapsed: float
    ) -> None:
        """Updates the tracks at rows (N,) by their faces (N), and keeps the others."""
        in_order = row.tolist() == list(range(len(tracks.track_id)))  # every track has its face, the first the first
        before = tracks if in_order else tracks[row]
        step = min(elapsed, MAX_STEP)
        # Where two faces overlap, pixels of one may influence the estimate of the other.
        others = iou(faces.box, tracks.motion.box)
        others[np.arange(len(row)), row] = 0
        clear = 1 - others.max(axis=1, initial=0)
        weight = faces.score * clear * step
        evidence = np.minimum(before.evidence, MEAN_SECONDS)
        deviation = faces.identity - before.identity
        after = Tracks(
            before.track_id,
            before.motion.update(faces.box),
            before.identity + (weight / (evidence + weight))[:, None] * deviation,
            evidence + weight,
            np.full(len(row), timestamp, np.float64),
        )
        self._estimate_noise(deviation[(clear == 1) & (before.last_seen == self._now)], step)
        if not in_order:
            lost = np.ones(len(tracks.track_id), bool)
            lost[row] = False
            after = tracks[lost].concatenate(after)
            after = after[np.argsort(after.track_id)]
        self._tracks, self._now = after, timestamp

    def _estimate_noise(self, deviation: Array, step: float) -> None:
        """Updates the noise by deviations (N, 50) of clearly visible faces from the means of their tracks."""
        gain = min(1.0, len(deviation) * step / NOISE_SECONDS)
        if gain:
            variance = self._noise**2 + gain * (float(np.mean(deviation**2)) - self._noise**2)
            self._noise = min(max(math.sqrt(variance), MIN_NOISE), MAX_NOISE)

    def _distance(self, deviation: Array) -> Array:
        """Root mean squares (...) of deviations (..., 50), in standard deviations of a frame."""
        distance: Array = np.sqrt(np.vecdot(deviation, deviation)) / (math.sqrt(IDENTITY_MODES) * self._noise)
        return distance
