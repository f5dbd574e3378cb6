"""Neutral calibration: each person's expression at rest, subtracted from what they show.

No face is at zero when it rests: brows are low, corners of mouths hang, lids are heavy. During one second the faces of
a stream are assumed to be at rest; from then on each person's mean of that second is their zero. Gaze is not
calibrated: it is a direction, and a person who looks aside during that second does not look straight ahead.

A neutral expression may be given from the start, too, such as one of a file. It is everybody's until theirs is taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from service.errors import BAD_PARAMETER, RequestError
from service.tracking.tracker import Ids
from service.vision.arrays import Array
from service.vision.face_model import EXPRESSIONS

COLLECT_SECONDS: Final = 1.0
MIN_RANGE: Final = 0.1  # least range left to a coefficient that is near 1 at rest: its noise grows at most 10 times
SHOWN: Final = 40  # characters of what is wrong


class NeutralState(StrEnum):
    """A track's state: not calibrated, its neutral expression is being collected, or it is being subtracted."""

    OFF = "off"
    COLLECTING = "collecting"
    ON = "on"


@dataclass
class _Mean:
    """A running mean of expressions (46,)."""

    total: Array = field(default_factory=lambda: np.zeros(EXPRESSIONS))
    count: int = 0

    def add(self, expression: Array) -> None:
        self.total = self.total + expression
        self.count += 1

    @property
    def value(self) -> Array:
        return self.total / self.count


class NeutralCalibration:
    """The neutral expressions of one stream's tracks.

    Collecting starts with a frame and ends with the first frame at least a second later. Tracks that exist when it
    starts take part; later ones do not, and a track without a face during that second stays as it was. A neutral
    expression stays in use until the next one has been collected.
    """

    def __init__(self, neutral: Array | None = None) -> None:
        """neutral: (46,) that all tracks have until theirs is collected; None for absolute expressions."""
        self._initial = neutral
        self._neutral: dict[int, Array] = {}
        self._collecting: dict[int, _Mean] = {}
        self._requested = False
        self._end = -np.inf

    def calibrate(self) -> None:
        """Starts to collect with the next frame; starts again if it is collecting already."""
        self._requested = True

    def restart(self) -> None:
        """Starts to collect anew with the next frame where it is collecting, since time has jumped."""
        self._requested |= bool(self._collecting)

    def reset(self) -> None:
        """Forgets all neutral expressions and stops collecting."""
        self._neutral, self._collecting, self._requested = {}, {}, False
        self._initial = None

    def subtract(self, expression: Array, track_id: Ids, alive: Ids, timestamp: float) -> Array:
        """Expressions (N, 46) relative to each track's neutral one: 0 where that is or below, 1 at 1.

        expression: (N, 46) in [0, 1], of a frame's faces. track_id: (N,) theirs. alive: (T,) all tracks that the
        tracker keeps; others are forgotten. timestamp: of the frame, seconds.
        """
        self._keep(alive)
        if self._requested:
            self._requested, self._end = False, timestamp + COLLECT_SECONDS
            self._collecting = {track: _Mean() for track in alive.tolist()}
        elif self._collecting and timestamp >= self._end:
            self._neutral |= {track: mean.value for track, mean in self._collecting.items() if mean.count}
            self._collecting = {}
        for track, row in zip(track_id.tolist(), expression, strict=True):
            if track in self._collecting:
                self._collecting[track].add(row)
        if self._initial is None and not self._neutral:
            return expression
        other = np.zeros(EXPRESSIONS) if self._initial is None else self._initial
        neutral = np.array([self._neutral.get(track, other) for track in track_id.tolist()])
        return relative_to_neutral(expression, neutral.reshape(expression.shape))

    def states(self, track_id: Ids) -> tuple[NeutralState, ...]:
        """The state of each track (N,) after the last frame."""
        return tuple(self._state(track) for track in track_id.tolist())

    def _state(self, track: int) -> NeutralState:
        if track in self._collecting:
            return NeutralState.COLLECTING
        return NeutralState.ON if track in self._neutral or self._initial is not None else NeutralState.OFF

    def _keep(self, alive: Ids) -> None:
        kept = set(alive.tolist())
        self._neutral = {track: neutral for track, neutral in self._neutral.items() if track in kept}
        self._collecting = {track: mean for track, mean in self._collecting.items() if track in kept}


def neutral_expression(weights: Mapping[str, object], names: Sequence[str]) -> Array:
    """The neutral expression (46,) float32 of weights by name, of which no more are looked at than there may be.

    names: the face model's 46. Raises RequestError BAD_PARAMETER where the weights do not have exactly these names, or
    are no numbers from 0 to 1.
    """
    missing = next((name for name in names if name not in weights), None)
    if missing is not None:
        raise _no_neutral_expression(f"neutral lacks {missing}", names)
    if len(weights) > len(names):
        unknown = next(name for name in weights if name not in names)
        raise _no_neutral_expression(f"neutral has {unknown!r:.{SHOWN}}", names)
    for name in names:
        weight = weights[name]
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
            raise _no_neutral_expression(f"neutral.{name} is {weight!r:.{SHOWN}}", names)
    return np.array([weights[name] for name in names], np.float32)


def _no_neutral_expression(what: str, names: Sequence[str]) -> RequestError:
    return RequestError(
        BAD_PARAMETER,
        f"The parameter {what}; expected a number from 0 to 1 for each of this model's {len(names)} names of "
        "`expression`, as in the file that `mfn capture` writes.",
    )


def relative_to_neutral(expression: Array, neutral: Array) -> Array:
    """Expressions e relative to neutral ones n, both (..., 46) in [0, 1]: clip((e - n) / (1 - n), 0, 1), float32."""
    return np.clip((expression - neutral) / np.maximum(1 - neutral, MIN_RANGE), 0, 1).astype(np.float32)
