"""Motion in a loop: gestures of the face that come and go, and values that pass through keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SECONDS = 12.0  # of the loop
FRAMES_PER_SECOND = 30
FRAMES = round(SECONDS * FRAMES_PER_SECOND)

Weights = Mapping[str, float]  # by the face model's names; a name without a side means both sides


def times() -> np.ndarray:
    """(FRAMES,) the second of each frame."""
    return np.arange(FRAMES) / FRAMES_PER_SECOND


def ease(share: np.ndarray) -> np.ndarray:
    """From 0 at 0 to 1 at 1 with the least jerk, as limbs and faces move (Flash and Hogan, 1985)."""
    t = np.clip(share, 0, 1)
    eased: np.ndarray = t**3 * (10 - 15 * t + 6 * t**2)
    return eased


def through(keys: Sequence[tuple[float, float]], seconds: np.ndarray) -> np.ndarray:
    """(F,) the value at each of `seconds` (F,) on the way through keys (second, value), and from the last to the first.

    It is at rest at each key. The keys are in the order of their seconds, which lie within the loop.
    """
    (first, first_value), (last, last_value) = keys[0], keys[-1]
    at, values = np.array([(last - SECONDS, last_value), *keys, (first + SECONDS, first_value)]).T
    before = np.searchsorted(at, seconds, side="right") - 1
    share = ease((seconds - at[before]) / (at[before + 1] - at[before]))
    passed: np.ndarray = values[before] + (values[before + 1] - values[before]) * share
    return passed


@dataclass(frozen=True)
class Gesture:
    """What a part of the face does once. It comes within `rise` seconds from `start` on, stays for `hold`, and goes
    within `fall`; it may reach past the loop's end into its beginning."""

    start: float
    rise: float
    hold: float
    fall: float
    weights: Weights

    def strength(self, seconds: np.ndarray) -> np.ndarray:
        """(F,) how much of it shows at each of `seconds` (F,), 0 to 1."""
        since = (seconds - self.start) % SECONDS
        shown: np.ndarray = ease(since / self.rise) * (1 - ease((since - self.rise - self.hold) / self.fall))
        return shown


def expressions(rest: Weights, gestures: Sequence[Gesture], names: Sequence[str], seconds: np.ndarray) -> np.ndarray:
    """(F, len(names)) what the rest and the gestures add up to, at most 1. Raises ValueError for a coefficient that is
    not in `names`."""
    total = np.zeros((len(seconds), len(names)))
    shown = [(rest, np.ones(len(seconds))), *((gesture.weights, gesture.strength(seconds)) for gesture in gestures)]
    for weights, strength in shown:
        for name, weight in weights.items():
            columns = [i for i, known in enumerate(names) if known in (name, f"{name}_L", f"{name}_R")]
            if not columns:
                raise ValueError(f"{name} is no expression of the face model; expected one of {', '.join(names)}")
            total[:, columns] += weight * strength[:, None]
    return total.clip(0, 1)
