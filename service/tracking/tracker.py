"""Who is who from frame to frame: faces to tracks, by where they are and by whose face it is.

Boxes are compared with where each track must be by now (as in SORT: Bewley et al., "Simple Online and Realtime
Tracking", ICIP 2016), identity coefficients with the track's running mean; both costs are summed and the assignment of
least total is taken. What lies between frames is time: nothing depends on the number of frames in it.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.tracking.assignment import assign
from service.tracking.kalman import KalmanBoxes
from service.tracking.rows import Rows
from service.vision.arrays import Array
from service.vision.face_model import IDENTITY_MODES
from service.vision.faces import Faces
from service.vision.nms import iou

Ids = NDArray[np.int64]

MEMORY_SECONDS: Final = 1.0  # a track unseen for longer is forgotten
MAX_TRACKS: Final = 200  # most remembered of those before a frame, the ones seen last: twice what a frame may show

MIN_OVERLAP: Final = 0.1  # IoU from which a box lies where its track must be
REACH: Final = 3.0  # standard deviations of a track's place within which a face may be it without overlap
MAX_GROWTH: Final = 0.5  # of log size, for such a face: by a factor of 1.6

# Identity, in standard deviations of one frame's coefficients around the track's mean. Measured with models 0.1.0 on
# acted clips: one person's frames lie at 0.9 (95 %: 2.0, 99 %: 2.3), other people's at 2.5 (5 %: 1.2).
AGREES: Final = 2.0  # below: may be the same person, if the place fits roughly
DIFFERS: Final = 3.0  # above: someone else, if the track was out of sight; for costs, as strange as can be
FIRST_NOISE: Final = 0.15  # what to expect before this stream has shown it
MIN_NOISE, MAX_NOISE = 0.12, 0.4  # a face at rest shows less noise than it will have when it turns
NOISE_SECONDS: Final = 10.0  # of faces seen, that the noise is learnt from
MEAN_SECONDS: Final = 3.0  # of a face seen well, that its mean identity is of
FIRST_SECONDS: Final = 1 / 30  # that a track's first frame counts for
MAX_STEP: Final = 0.1  # seconds that any other frame counts for at most

IDENTITY_COST: Final = 1.0  # of the strangest identity; a box without overlap costs 1 to 1.5
LEAVE: Final = 1.5 + IDENTITY_COST + 0.1  # cost of calling a face new: more than that of any track it may be


@dataclass(frozen=True)
class Tracks(Rows):
    """T people. track_id: (T,) ascending. motion: of their boxes. identity: (T, 50) running means. evidence: (T,)
    seconds of a face seen well that are in it. last_seen: (T,) timestamps."""

    track_id: Ids
    motion: KalmanBoxes
    identity: Array
    evidence: Array
    last_seen: Array

    @classmethod
    def start(cls, faces: Faces, track_id: Ids, timestamp: float) -> "Tracks":
        return cls(
            track_id,
            KalmanBoxes.start(faces.box),
            faces.identity.astype(np.float64),
            faces.score.astype(np.float64) * FIRST_SECONDS,
            np.full(len(faces), timestamp, np.float64),
        )


class Tracker:
    """The people of one stream. Ids count up from 1 and are never given twice."""

    def __init__(self) -> None:
        self._tracks = Tracks.start(Faces.none(), np.zeros(0, np.int64), 0.0)
        self._next_id = 1
        self._noise = FIRST_NOISE
        self._now = -np.inf

    @property
    def alive(self) -> Ids:
        """(T,) the tracks that are remembered, seen in the last frame or not."""
        return self._tracks.track_id

    @property
    def someone_hidden(self) -> bool:
        """Whether a track is remembered that the last frame did not show."""
        return bool((self._tracks.last_seen < self._now).any())

    def identity_distance(self, identity: Array, track_id: Ids) -> Array:
        """(N,) how far identities (N, 50) lie from their tracks' means, in standard deviations of a frame."""
        row = np.searchsorted(self._tracks.track_id, track_id)
        return self._distance(identity - self._tracks.identity[row])

    def update(self, faces: Faces, timestamp: float) -> Ids:
        """The tracks (N,) of the faces that a new look at the picture found; a face that nobody was is a new one."""
        tracks, elapsed = self._tracks_at(timestamp)
        row = assign(self._cost(tracks, faces), LEAVE)
        new = row < 0
        track_id = np.empty(len(faces), np.int64)
        track_id[~new] = tracks.track_id[row[~new]]
        track_id[new] = np.arange(self._next_id, self._next_id + new.sum())
        self._see(tracks, faces.take(np.flatnonzero(~new)), row[~new], timestamp, elapsed)
        self._tracks = self._tracks.joined(Tracks.start(faces.take(np.flatnonzero(new)), track_id[new], timestamp))
        self._next_id += int(new.sum())
        return track_id

    def follow(self, faces: Faces, track_id: Ids, timestamp: float) -> None:
        """Takes note of faces whose tracks (N,) are known; they must be remembered at that time."""
        tracks, elapsed = self._tracks_at(timestamp)
        self._see(tracks, faces, np.searchsorted(tracks.track_id, track_id), timestamp, elapsed)

    def _tracks_at(self, timestamp: float) -> tuple[Tracks, float]:
        """The tracks that are still remembered, moved to a later time, and the seconds since the last frame."""
        tracks = self._tracks[timestamp - self._tracks.last_seen <= MEMORY_SECONDS]
        latest = np.argsort(-tracks.last_seen, kind="stable")[:MAX_TRACKS]
        tracks = tracks[np.sort(latest)]
        elapsed = timestamp - self._now
        return replace(tracks, motion=tracks.motion.after(elapsed)), elapsed

    def _cost(self, tracks: Tracks, faces: Faces) -> Array:
        """(N, T) of calling a face a track: infinite where it cannot be."""
        boxes, seen = tracks.motion.box, KalmanBoxes.start(faces.box)
        overlap = iou(faces.box, boxes)
        away = np.linalg.norm(seen.place[:, None, :2] - tracks.motion.place[:, :2], axis=-1)
        away /= tracks.motion.size * tracks.motion.deviation * REACH
        growth = np.abs(np.log(seen.size[:, None] / tracks.motion.size))
        strange = self._distance(faces.identity[:, None] - tracks.identity)
        here = overlap >= MIN_OVERLAP
        near = (away <= 1) & (growth <= MAX_GROWTH) & (strange <= AGREES)
        # A face in sight may look strange for a moment; one that took the place of a hidden one may not.
        someone_else = (strange > DIFFERS) & (tracks.last_seen < self._now)
        place = np.where(here, 1 - overlap, 1 + away / 2)
        cost = place + IDENTITY_COST * np.minimum(strange / DIFFERS, 1)
        return np.where((here | near) & ~someone_else, cost, np.inf)

    def _see(self, tracks: Tracks, faces: Faces, row: NDArray[np.intp], timestamp: float, elapsed: float) -> None:
        """Corrects the tracks of some rows by the faces (N) that they are, and keeps all."""
        before = tracks[row]
        step = min(elapsed, MAX_STEP)
        # Of two faces in one place either may be described by some of the other's pixels.
        others = iou(faces.box, tracks.motion.box)
        others[np.arange(len(row)), row] = 0
        clear = 1 - np.max(others, axis=1, initial=0)
        weight = faces.score * clear * step
        evidence = np.minimum(before.evidence, MEAN_SECONDS)
        deviation = faces.identity - before.identity
        after = Tracks(
            before.track_id,
            before.motion.corrected(faces.box),
            before.identity + (weight / (evidence + weight))[:, None] * deviation,
            evidence + weight,
            np.full(len(row), timestamp, np.float64),
        )
        self._learn_noise(deviation[(clear == 1) & (before.last_seen == self._now)], step)
        unseen = np.ones(len(tracks.track_id), bool)
        unseen[row] = False
        together = tracks[unseen].joined(after)
        self._tracks = together[np.argsort(together.track_id)]
        self._now = timestamp

    def _learn_noise(self, deviation: Array, step: float) -> None:
        """From deviations (N, 50) of faces seen well from the means of their tracks."""
        gain = min(1.0, len(deviation) * step / NOISE_SECONDS)
        if gain:
            variance = self._noise**2 + gain * (float(np.mean(deviation**2)) - self._noise**2)
            self._noise = float(np.clip(np.sqrt(variance), MIN_NOISE, MAX_NOISE))

    def _distance(self, deviation: Array) -> Array:
        """Root mean square (...) of deviations (..., 50), in standard deviations of a frame."""
        distance: Array = np.linalg.norm(deviation, axis=-1) / (np.sqrt(IDENTITY_MODES) * self._noise)
        return distance
