"""Takes out of what has been recorded: one person at a time.

A take has 476 bytes a frame, and the curves that it is made of 268: at 30 frames a second both are 80 MB an hour. All
else is in memory for a block of frames at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from service.cli.capture.blocks import blocks
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

    def take(self, film: Film, people: People, records: Records, person: int) -> Take:
        """The take of one of a film's people, from 1."""
        curves, identity = _curves(records, people.rows(person))
        curves = curves.with_gaps_bridged(film.timestamps)
        if self.smooth:
            curves = smoothed(curves, float(film.timecode.rate))
        shown = self.film_of_takes(film)
        if self.rate is not None:
            curves = curves.resampled(film.timestamps, shown.timestamps)
        return self._take(shown, person, curves, identity)

    def film_of_takes(self, film: Film) -> Film:
        """The film, at the rate of the takes."""
        return film if self.rate is None else resampled(film, self.rate)

    def _take(self, film: Film, person: int, curves: Curves, identity: Array) -> Take:
        neutral = self.neutral(curves)
        expression, gaze = curves.coefficients(EXPRESSION), curves.coefficients(GAZE)
        weights = np.full((len(film), self.arkit.shape[1]), np.nan, np.float32)
        for block in blocks(len(film)):
            if neutral is not None:
                expression[block] = relative_to_neutral(expression[block], neutral)
            known = block.start + np.flatnonzero(curves.known[block])
            weights[known] = blendshapes(expression[known], gaze[known], self.arkit)
        return Take(
            film=film,
            person=person,
            seen=curves.seen,
            bridged=curves.bridged,
            score=curves.values[:, SCORE.start].copy(),
            box=curves.values[:, BOX].copy(),
            quaternion=curves.quaternion,
            translation=curves.translation,
            scale=curves.scale,
            expression=expression,
            blendshapes=weights,
            gaze=gaze,
            identity=identity,
            neutral=neutral,
            expression_names=self.expression_names,
        )


def _curves(records: Records, row: NDArray[np.intp]) -> tuple[Curves, Array]:
    """A person's curves, and the median (50,) of their identities. row: (N,), see People.rows."""
    frames = iter(records)
    parts, identities = [], []
    for block in blocks(len(row)):
        own, seen = row[block], row[block] >= 0
        rows = np.zeros((len(own), WIDTH), np.float32)
        for number, record in enumerate(islice(frames, len(own))):
            if seen[number]:
                rows[number] = record.rows[own[number]]
        parts.append(Curves.of(rows, seen))
        identities.append(rows[seen, COLUMNS["identity"]])
    identity = np.concatenate(identities)
    # One coefficient after the other: sorting takes a copy.
    median = np.array([np.median(column) for column in identity.T], np.float32)
    del identities, identity
    return Curves.joined(parts), median
