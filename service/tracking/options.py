"""What a stream may choose, checked when it is chosen."""

from dataclasses import dataclass
from typing import Final

from service.errors import BAD_PARAMETER, RequestError

MAX_HERTZ: Final = 1000.0  # no camera is faster; a cutoff up here filters nothing
MAX_BETA: Final = 1000.0
MAX_DETECT_EVERY: Final = 300  # ten seconds at 30 fps


@dataclass(frozen=True)
class SmoothingOptions:
    """The One-Euro filter's, see service.tracking.smoothing for the units that make one pair right for every quantity.

    min_cutoff: Hz, 0.01 to 1000; what a still face is filtered with: lower is steadier, and later. beta: 0 to 1000, Hz
    that the cutoff rises by when a face moves at one unit a second: higher follows faster. derivative_cutoff: Hz, 0.01
    to 1000, of the filter for the speed itself. Raises RequestError BAD_PARAMETER outside these ranges.
    """

    min_cutoff: float = 1.0
    beta: float = 4.0
    derivative_cutoff: float = 1.0

    def __post_init__(self) -> None:
        _check_range("smoothing.min_cutoff", self.min_cutoff, 0.01, MAX_HERTZ)
        _check_range("smoothing.beta", self.beta, 0, MAX_BETA)
        _check_range("smoothing.derivative_cutoff", self.derivative_cutoff, 0.01, MAX_HERTZ)


@dataclass(frozen=True)
class StreamOptions:
    """What a stream may choose.

    min_score: least score of a face, 0.01 to 1. max_faces: the best ones, 1 to 100. refine: the Single Face Network
    looks at each face of each frame. follow: faces are followed with that network from frame to frame where this is
    cheaper, and searched for every detect_every frames (1 to 300), when one is lost and when the picture changes.
    smoothing: None leaves the faces as the networks see them. input_size: as in service.inference.pipeline.Options,
    checked where the models are known. Raises RequestError BAD_PARAMETER outside these ranges.
    """

    min_score: float = 0.5
    max_faces: int = 20
    refine: bool = False
    follow: bool = False
    detect_every: int = 10
    smoothing: SmoothingOptions | None = None
    input_size: int | None = None

    def __post_init__(self) -> None:
        _check_range("min_score", self.min_score, 0.01, 1)
        _check_range("max_faces", self.max_faces, 1, 100)
        _check_range("detect_every", self.detect_every, 1, MAX_DETECT_EVERY)


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # a NaN is in no range
        raise RequestError(
            BAD_PARAMETER, f"The parameter {name} is {value:g}; expected a number from {low:g} to {high:g}."
        )
