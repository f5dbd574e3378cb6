"""What a stream may choose, checked when it is chosen."""

from dataclasses import dataclass
from typing import Final

from service.errors import BAD_PARAMETER, RequestError
from service.inference.options import RetargetOptions, check_range

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
        check_range("smoothing.min_cutoff", self.min_cutoff, 0.01, MAX_HERTZ)
        check_range("smoothing.beta", self.beta, 0, MAX_BETA)
        check_range("smoothing.derivative_cutoff", self.derivative_cutoff, 0.01, MAX_HERTZ)


@dataclass(frozen=True)
class StreamOptions(RetargetOptions):
    """What a stream may choose beside RetargetOptions, of which tiles are not for streams.

    refine: the Single Face Network looks at each face of each frame. follow: faces are followed with that network from
    frame to frame where this is cheaper, and searched for every detect_every frames (1 to 300), when one is lost and
    when the picture changes. smoothing: None leaves the faces as the networks see them. Raises RequestError
    BAD_PARAMETER where a number is out of range.
    """

    follow: bool = False
    detect_every: int = 10
    smoothing: SmoothingOptions | None = None

    def __post_init__(self) -> None:
        if self.tiles > 1:
            raise RequestError(
                BAD_PARAMETER,
                "The parameter tiles is not for streams. Leave it out, or send single pictures, which may be tiled.",
            )
        super().__post_init__()
        check_range("detect_every", self.detect_every, 1, MAX_DETECT_EVERY)
