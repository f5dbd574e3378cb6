"""How the learning rate and the weight of the coefficient loss change over a run, whose length is known in steps or in
seconds of training."""

import math
from dataclasses import dataclass

PAPER_WEIGHT = 10.0  # divided by the epochs (paper section 4.3)


@dataclass(frozen=True)
class Schedule:
    """The learning rate: a linear warm-up and half a cosine. Of `steps` and `seconds` one is given: the run's length.

    A run by seconds ends with the first step after them; its rate follows the seconds of training so far, which a
    checkpoint holds.
    """

    top_rate: float
    steps: int | None = None
    seconds: float | None = None
    warm_up: int = 200  # steps
    final: float = 0.01  # share of the top rate left at the end

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.seconds is None):
            raise ValueError("a schedule is as long as its steps or its seconds say: give one of them")

    def progress(self, step: int, seconds: float) -> float:
        """0 at the start to 1 at the end, of the steps taken and the seconds of training so far."""
        if self.seconds is not None:
            return min(1.0, seconds / max(self.seconds, 1e-9))
        assert self.steps is not None
        return min(1.0, step / max(1, self.steps))

    def done(self, step: int, seconds: float) -> bool:
        """Whether the run is over."""
        if self.seconds is not None:
            return seconds >= self.seconds
        assert self.steps is not None
        return step >= self.steps

    def rate(self, step: int, seconds: float) -> float:
        """The learning rate of the next step. By steps the cosine begins after the warm-up; by seconds, which do not
        tell how long that will take, it begins with it."""
        warm = min(1.0, (step + 1) / max(1, self.warm_up))
        if self.seconds is not None:
            progress = self.progress(step, seconds)
        else:
            assert self.steps is not None
            progress = min(1.0, max(0, step - self.warm_up) / max(1, self.steps - self.warm_up))
        return self.top_rate * warm * (self.final + (1 - self.final) * (1 + math.cos(math.pi * progress)) / 2)


@dataclass(frozen=True)
class CoefficientWeight:
    """The weight of the coefficient loss, the paper's tau: 10 divided by the epochs, never under `floor`.

    With `start` it goes from there to `floor` in a straight line over the run, whatever the epochs.
    """

    floor: float = 0.0
    start: float | None = None

    def __call__(self, epochs: float, progress: float) -> float:
        """The weight of the next step. epochs: seen so far, those of the weights that the run started from among them.
        progress: 0..1 of the run."""
        if self.start is not None:
            return self.start + (self.floor - self.start) * progress
        return max(self.floor, PAPER_WEIGHT / max(1.0, epochs))
