"""What comes to the pods, and what becomes of it: the contract of `requests` and `streams` with `cluster`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEP_SECONDS: Final = 1.0  # of the simulation


@dataclass(frozen=True)
class Answered:
    """One step. arrived, served, lost: pictures or frames; lost are those refused or dropped. busy: (P,) mean cores in
    use of each pod. depth: (P,) mean pictures that wait in each. waits: (W,) seconds, and shares: (W,) of those let
    in that wait so long."""

    arrived: float
    served: float
    lost: float
    busy: Array
    depth: Array
    waits: Array
    shares: Array

    @classmethod
    def none(cls, rate: float, served: float = 0.0) -> "Answered":
        """Where no pod is ready, all is lost. rate: a second. served: by pods that have gone since."""
        empty = np.zeros(0)
        return cls(rate * STEP_SECONDS, served, rate * STEP_SECONDS, empty, empty, np.zeros(1), np.zeros(1))


class Traffic(Protocol):
    """Pictures or streams."""

    @property
    def waiting(self) -> float:
        """Pictures or frames that are in the pods now."""

    def step(self, load: float, pods: Sequence[int]) -> Answered:
        """One step. load: requests a second, or open streams. pods: the numbers of those that are ready."""


def quantile(waits: Array, weights: Array, share: float) -> float:
    """The least of `waits` (N,), seconds, within which at least so much of the `weights` (N,) is; 0 without weight."""
    if weights.sum() <= 0:
        return 0.0
    order = np.argsort(waits)
    reached = np.cumsum(weights[order]) >= share * weights.sum() * (1 - 1e-12)
    return float(waits[order][np.argmax(reached)])
