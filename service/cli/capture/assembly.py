"""Takes out of what has been recorded: one person at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from service.cli.capture.curves import BOX, EXPRESSION, GAZE, SCORE, Curves
from service.cli.capture.film import resampled
from service.cli.capture.people import People
from service.cli.capture.records import COLUMNS, WIDTH, Records
from service.cli.capture.smoothing import smoothed
from service.cli.capture.take import Film, Take
from service.tracking.neutral import relative_to_neutral
from service.vision.arkit import blendshapes
from service.vision.arrays import Array

Neutral = Callable[[Curves], Array | None]  # the resting face (46,) of curves, None for absolute expressions


@dataclass(frozen=True)
class Assembly:
    """How takes are made. expression_names: 46. arkit: see Models. neutral: each person's. rate: that takes are
    resampled to, None for the film's own. smooth: whether they are smoothed, see service.cli.capture.smoothing."""

    expression_names: tuple[str, ...]
    arkit: Array
    neutral: Neutral
    rate: Fraction | None = None
    smooth: bool = True

    def takes(self, film: Film, people: People, records: Records) -> Iterator[Take]:
        """The takes of a film's people. One is in memory at a time."""
        shown = film if self.rate is None else resampled(film, self.rate)
        for person in range(1, len(people) + 1):
            rows, seen = _rows(records, people.rows(person))
            identity = np.median(rows[seen, COLUMNS["identity"]], axis=0)
            curves = Curves.of(rows, seen).with_gaps_bridged(film.timestamps)
            if self.smooth:
                curves = smoothed(curves, float(film.timecode.rate))
            if self.rate is not None:
                curves = curves.resampled(film.timestamps, shown.timestamps)
            yield self._take(shown, person, curves, identity)

    def _take(self, film: Film, person: int, curves: Curves, identity: Array) -> Take:
        neutral = self.neutral(curves)
        expression = curves.coefficients(EXPRESSION)
        if neutral is not None:
            expression = relative_to_neutral(expression, neutral)
        gaze = curves.coefficients(GAZE)
        known = curves.known
        weights = np.full((len(known), self.arkit.shape[1]), np.nan)
        weights[known] = blendshapes(expression[known], gaze[known], self.arkit)
        values = curves.values
        return Take(
            film=film,
            person=person,
            seen=curves.seen,
            bridged=curves.bridged,
            score=values[:, SCORE.start].astype(np.float32),
            box=values[:, BOX].astype(np.float32),
            quaternion=curves.quaternion.astype(np.float32),
            translation=curves.translation.astype(np.float32),
            scale=curves.scale.astype(np.float32),
            expression=expression.astype(np.float32),
            blendshapes=weights.astype(np.float32),
            gaze=gaze.astype(np.float32),
            identity=identity.astype(np.float32),
            neutral=neutral,
            expression_names=self.expression_names,
        )


def _rows(records: Records, row: NDArray[np.intp]) -> tuple[Array, NDArray[np.bool_]]:
    """A person's rows (N, 117) of the records, and whether there is one, (N,). row: (N,), see People.rows."""
    rows = np.full((len(row), WIDTH), np.nan, np.float32)
    for number, record in zip(np.arange(len(row)), records, strict=True):
        if row[number] >= 0:
            rows[number] = record.rows[row[number]]
    return rows, row >= 0
