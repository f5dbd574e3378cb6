"""How well a character does what the film's face does: correlation over time, and the delay at which it is largest."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

FILM = Path(__file__).resolve().parents[1] / "studio" / "film"
DELAYS = np.arange(-0.1, 0.8, 0.005)  # seconds that are tried; motion may be foretold
CHANNELS = {  # of what is reported, the coefficients whose mean it is
    "jawOpen": ("jawOpen",),
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "yaw": ("yaw",),
}


@dataclass(frozen=True)
class Face:
    """Holds what a face of the film does. values: (F,) by CHANNELS."""

    values: dict[str, np.ndarray]

    def at(self, channel: str, frames: np.ndarray) -> np.ndarray:
        """The value at frames (N,), which may be between two, and of any turn of the loop."""
        values = self.values[channel]
        within: np.ndarray = np.interp(frames, np.arange(len(values)), values, period=len(values))
        return within


@dataclass(frozen=True)
class Truth:
    """Holds what the faces of the film do, from the left. frames: of the loop."""

    frames: int
    faces: tuple[Face, ...]

    @classmethod
    def load(cls, path: Path = FILM / "faces.json") -> Self:
        """Reads what studio.film has written beside the film."""
        film = json.loads(path.read_text(encoding="utf-8"))
        return cls(film["frames"], tuple(Face(_channels(face)) for face in film["faces"]))


@dataclass(frozen=True)
class Agreement:
    """r: by CHANNELS, at the delay of each that makes it largest. delay: seconds, the median of these."""

    r: dict[str, float]
    delay: float


def frames_at(seen_at: np.ndarray, numbers: np.ndarray, loop: int, times: np.ndarray) -> np.ndarray:
    """(N,) the film's frame, between two and counted on past the loop's end, that a camera shows at `times` (N,).

    seen_at: (S,) when frames `numbers` (S,) were seen, in order.
    """
    return np.asarray(np.interp(times, seen_at, np.unwrap(numbers.astype(float), period=loop)))


def agreement(
    truth: Truth,
    face: Face,
    seen_at: np.ndarray,
    numbers: np.ndarray,
    moved_at: np.ndarray,
    moved: dict[str, np.ndarray],
) -> Agreement:
    """Holds a character against a face. Times are in seconds on one clock.

    seen_at, numbers: (S,) when the camera showed which frame. moved_at: (N,) when the character was drawn. moved: (N,)
    by CHANNELS, what it did.
    """
    frames = [frames_at(seen_at, numbers, truth.frames, moved_at - delay) for delay in DELAYS]
    r, best = {}, []
    for channel in CHANNELS:
        each = np.array([correlation(face.at(channel, shown), moved[channel]) for shown in frames])
        r[channel], delay = float(each.max()), float(DELAYS[each.argmax()])
        best.append(delay)
    return Agreement(r, float(np.median(best)))


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r of two series (N,); 0 where one of them never moves."""
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _channels(face: dict[str, Any]) -> dict[str, np.ndarray]:
    known = {"yaw": face["yaw"], **face["blendshapes"]}
    return {channel: np.mean([known[name] for name in names], axis=0) for channel, names in CHANNELS.items()}
