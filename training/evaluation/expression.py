"""How well expression coefficients follow a reference, the teacher's as a rule (paper section 4.2, and beyond).

The mean absolute difference alone, the paper's metric, is at its best for coefficients that never move; correlation and
the range in use show a dead one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

MOVES = 0.05  # standard deviation of the reference from which on a coefficient counts as moving
LOW, HIGH = 5, 95  # percentiles between which the range of a coefficient is taken
UNUSED = 0.05  # range below which a coefficient is called dead
UNTOLD = 0.3  # correlation below which a coefficient tells next to nothing


@dataclass(frozen=True)
class ExpressionMetrics:
    """Holds how well coefficients are told: of `faces` faces with C coefficients each, arrays (C,) in the order of
    `names`.

    difference: mean |predicted - reference|. correlation: Pearson's; NaN where the reference does not move, 0 where it
    does and the prediction is constant. moves: the reference's standard deviation exceeds 0.05. predicted_range,
    reference_range: (C, 2) 5th and 95th percentiles.
    """

    names: tuple[str, ...]
    faces: int
    difference: Floats
    correlation: Floats
    moves: NDArray[np.bool_]
    predicted_range: Floats
    reference_range: Floats

    @property
    def mean_difference(self) -> float:
        """The paper's expression metric over all coefficients."""
        return float(self.difference.mean())

    @property
    def mean_correlation(self) -> float:
        """Over the coefficients that move; NaN where none does."""
        return float(self.correlation[self.moves].mean()) if self.moves.any() else float("nan")

    @property
    def range_ratio(self) -> Floats:
        """(C,) the range in use over the reference's; NaN where the reference uses none."""
        used, wanted = np.ptp(self.predicted_range, axis=1), np.ptp(self.reference_range, axis=1)
        ratio: Floats = np.divide(used, wanted, out=np.full(len(used), np.nan), where=wanted > 0)
        return ratio

    @property
    def dead(self) -> tuple[str, ...]:
        """Coefficients that move in the reference, but here by less than half its range."""
        stiff = self.moves & (self.range_ratio < 0.5)
        return tuple(name for name, is_stiff in zip(self.names, stiff, strict=True) if is_stiff)

    @property
    def unused(self) -> tuple[str, ...]:
        """Coefficients that are dead: they span less than 0.05 from the 5th to the 95th percentile."""
        return self._narrow(self.predicted_range)

    @property
    def unused_by_reference(self) -> tuple[str, ...]:
        """The same of the reference."""
        return self._narrow(self.reference_range)

    @property
    def untold(self) -> tuple[str, ...]:
        """Coefficients that move in the reference and correlate with it by less than 0.3."""
        low = self.moves & (self.correlation < UNTOLD)
        return tuple(name for name, is_low in zip(self.names, low, strict=True) if is_low)

    def _narrow(self, ranges: Floats) -> tuple[str, ...]:
        narrow = np.ptp(ranges, axis=1) < UNUSED
        return tuple(name for name, is_narrow in zip(self.names, narrow, strict=True) if is_narrow)


def expression_metrics(predicted: Floats, reference: Floats, names: tuple[str, ...]) -> ExpressionMetrics:
    """Compares coefficients (M, C), in [0, 1], of M faces with reference ones (M, C). Raises ValueError for no face."""
    if predicted.shape != reference.shape or predicted.shape[1:] != (len(names),) or len(predicted) == 0:
        raise ValueError(
            f"expected one or more faces with {len(names)} coefficients on both sides, "
            f"got {predicted.shape} and {reference.shape}"
        )
    predicted, reference = predicted.astype(np.float64), reference.astype(np.float64)
    moves = reference.std(axis=0) > MOVES
    return ExpressionMetrics(
        names=names,
        faces=len(predicted),
        difference=np.abs(predicted - reference).mean(axis=0),
        correlation=np.where(moves, correlation(predicted, reference), np.nan),
        moves=moves,
        predicted_range=np.percentile(predicted, [LOW, HIGH], axis=0).T,
        reference_range=np.percentile(reference, [LOW, HIGH], axis=0).T,
    )


def correlation(a: Floats, b: Floats) -> Floats:
    """(C,) Pearson correlation of each column of a (M, C) with that of b; 0 where one of them is constant."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    norm = np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0))
    ratio: Floats = np.divide((a * b).sum(axis=0), norm, out=np.zeros(a.shape[1]), where=norm > 1e-12)
    return ratio
