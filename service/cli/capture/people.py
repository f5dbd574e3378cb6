"""Who is seen when: the faces of the frames become tracks, and tracks become people."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.cli.capture.records import Record
from service.tracking.tracker import INITIAL_NOISE, Tracker
from service.vision.arrays import Array

Numbers = NDArray[np.unsignedinteger]

# A track ends a second after its last face. Someone who comes back later is the same person where the mean identities
# of both tracks differ by less than the noise of a single frame's; those of two people differ by 2.5 times as much.
SAME_PERSON: Final = INITIAL_NOISE  # root mean square, in standard deviations of the face model's modes
MIN_SECONDS: Final = 0.5  # for which a person is seen; less is seldom a face, and no performance


@dataclass
class _Track:
    """first, last: numbers of frames. count: of frames with a face. identity: (50,) sum of these."""

    first: int
    last: int
    count: int
    identity: Array


@dataclass
class _Person:
    """A person and their tracks, none of which overlap."""

    tracks: list[int] = field(default_factory=list)
    first: int = 0
    last: int = -1
    count: int = 0
    identity: Array = field(default_factory=lambda: np.zeros(1))

    def add(self, number: int, track: _Track) -> None:
        """Adds a track that begins after the last one."""
        self.first = self.first if self.tracks else track.first
        self.tracks.append(number)
        self.last = track.last
        self.count += track.count
        self.identity = self.identity + track.identity

    def distance(self, track: _Track) -> float:
        """Root mean square between the mean identities."""
        return float(np.sqrt(np.mean((self.identity / self.count - track.identity / track.count) ** 2)))


class Tracks:
    """The tracks of a film, put together frame by frame."""

    def __init__(self) -> None:
        self._tracker = Tracker()
        self._tracks: dict[int, _Track] = {}
        # Of each frame the number of faces, and of these the ids: an hour of one person's are 0.6 MB.
        self._counts, self._ids = array("H"), array("I")

    def add(self, record: Record) -> None:
        """Adds the next frame."""
        number, faces = len(self._counts), record.faces
        ids = self._tracker.update(faces, record.timestamp).tolist()
        self._counts.append(len(ids))
        self._ids.extend(ids)
        for track_id, identity in zip(ids, faces.identity.astype(np.float64), strict=True):
            track = self._tracks.setdefault(track_id, _Track(number, number, 0, np.zeros(len(identity))))
            track.last, track.count, track.identity = number, track.count + 1, track.identity + identity

    def people(self, rate: float) -> "People":
        """The people of the frames so far, in the order in which they come. rate: frames a second."""
        people: list[_Person] = []
        for number, track in sorted(self._tracks.items(), key=lambda item: item[1].first):
            free = [person for person in people if person.last < track.first]
            nearest = min(free, key=lambda person: person.distance(track), default=None)
            if nearest is None or nearest.distance(track) >= SAME_PERSON:
                nearest = _Person()
                people.append(nearest)
            nearest.add(number, track)
        least = min(MIN_SECONDS * rate, len(self._counts) / 2)  # the latter for films of a few frames
        kept = [person.tracks for person in people if person.count >= least]
        return People(kept, np.array(self._counts), np.array(self._ids), len(people) - len(kept))


class People:
    """The people of a film. brief: number of those who are left out, since they are seen for less than MIN_SECONDS."""

    def __init__(self, tracks: Sequence[Sequence[int]], counts: Numbers, ids: Numbers, brief: int) -> None:
        """tracks: of each person. counts: (N,) faces of each frame. ids: (faces,) their tracks, frame after frame."""
        self.brief = brief
        self._tracks, self._counts, self._ids = tracks, counts, ids

    def __len__(self) -> int:
        return len(self._tracks)

    def rows(self, person: int) -> NDArray[np.intp]:
        """(N,) of each frame the row of its record that is a person's face, -1 where there is none. person: from 1."""
        found = np.flatnonzero(np.isin(self._ids, self._tracks[person - 1]))
        ends = np.cumsum(self._counts, dtype=np.intp)
        frame = np.searchsorted(ends, found, side="right")
        rows = np.full(len(ends), -1, np.intp)
        rows[frame] = found - (ends - self._counts)[frame]
        return rows
