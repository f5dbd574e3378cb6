"""What each person's face looks like at rest, taken off what it shows.

No face rests at zero: brows are low, corners of mouths hang, lids are heavy. For a second the faces of a stream are
taken to be at rest; from then on each person's mean of that second is their zero. Gaze is left as it is: it is a
direction, and who looks aside for that second does not look straight ahead.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from service.tracking.tracker import Ids
from service.vision.arrays import Array
from service.vision.face_model import EXPRESSIONS

COLLECT_SECONDS: Final = 1.0
MIN_RANGE: Final = (
    0.1  # left to a coefficient that is near 1 at rest, so that its noise is not blown up beyond 10 times
)


class NeutralState(StrEnum):
    """Of a track: nothing is taken off, its rest is being collected, or it is taken off."""

    OFF = "off"
    COLLECTING = "collecting"
    ON = "on"


@dataclass
class _Mean:
    """Of the expressions (46,) seen so far."""

    total: Array = field(default_factory=lambda: np.zeros(EXPRESSIONS))
    count: int = 0

    def add(self, expression: Array) -> None:
        self.total = self.total + expression
        self.count += 1

    @property
    def value(self) -> Array:
        return self.total / self.count


class Neutral:
    """The resting faces of one stream's tracks.

    Collecting begins with a frame and ends with the first one a second later; who is remembered by the tracker when it
    begins takes part, who comes later does not, and who is not seen in that second stays as they were. A rest that is
    on stays on until the next one has been collected.
    """

    def __init__(self) -> None:
        self._rest: dict[int, Array] = {}
        self._collecting: dict[int, _Mean] = {}
        self._begins = False
        self._end = -np.inf

    def calibrate(self) -> None:
        """Begins to collect with the next frame, anew if that is going on."""
        self._begins = True

    def reset(self) -> None:
        """Takes nothing off any more, and collects nothing."""
        self._rest, self._collecting, self._begins = {}, {}, False

    def subtract(self, expression: Array, track_id: Ids, alive: Ids, timestamp: float) -> Array:
        """Expressions (N, 46) in [0, 1] of tracks (N,), seen from each one's rest: 0 at rest or below, 1 at 1.

        alive: (T,) all tracks that are remembered; what is known of others is forgotten.
        """
        self._keep(alive)
        if self._begins:
            self._begins, self._end = False, timestamp + COLLECT_SECONDS
            self._collecting = {track: _Mean() for track in alive.tolist()}
        elif self._collecting and timestamp >= self._end:
            self._rest |= {track: mean.value for track, mean in self._collecting.items() if mean.count}
            self._collecting = {}
        for track, seen in zip(track_id.tolist(), expression, strict=True):
            if track in self._collecting:
                self._collecting[track].add(seen)
        rest = np.array([self._rest.get(track, np.zeros(EXPRESSIONS)) for track in track_id.tolist()])
        return from_rest(expression, rest.reshape(expression.shape))

    def states(self, track_id: Ids) -> tuple[NeutralState, ...]:
        """Of each track (N,), after the last frame."""
        return tuple(self._state(track) for track in track_id.tolist())

    def _state(self, track: int) -> NeutralState:
        if track in self._collecting:
            return NeutralState.COLLECTING
        return NeutralState.ON if track in self._rest else NeutralState.OFF

    def _keep(self, alive: Ids) -> None:
        kept = set(alive.tolist())
        self._rest = {track: rest for track, rest in self._rest.items() if track in kept}
        self._collecting = {track: mean for track, mean in self._collecting.items() if track in kept}


def from_rest(expression: Array, rest: Array) -> Array:
    """clip((e - n) / (1 - n), 0, 1), float32, of expressions e and those at rest n, both (..., 46) in [0, 1]."""
    return np.clip((expression - rest) / np.maximum(1 - rest, MIN_RANGE), 0, 1).astype(np.float32)
