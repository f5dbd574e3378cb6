"""The options of a stream, validated on construction."""

from dataclasses import dataclass
from typing import Final

from service.errors import BAD_PARAMETER, RequestError
from service.inference.options import RetargetOptions, check_range

MAX_HERTZ: Final = 1000.0  # of a cutoff; no camera is faster, and a cutoff that high filters nothing
MAX_BETA: Final = 1000.0  # Hz per unit a second, see service.tracking.smoothing
MAX_DETECT_EVERY: Final = 300  # frames, ten seconds at 30 fps


@dataclass(frozen=True)
class SmoothingOptions:
    """Parameters of the One-Euro filter; service.tracking.smoothing tells the units of speed of each quantity.

    min_cutoff: Hz, 0.01 to 1000, the cutoff for a still face; lower is steadier but has more lag. beta: 0 to 1000, Hz
    that the cutoff rises by when a face moves at one unit a second; higher has less lag. derivative_cutoff: Hz, 0.01 to
    1000, of the filter of the speed itself. Raises RequestError BAD_PARAMETER outside these ranges.
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
    """Options of a stream: those of RetargetOptions except tiles, which streams do not have, and its own.

    refine: whether the Single Face Network refines each face of each frame. follow: whether faces are followed with
    that network from frame to frame where this is cheaper. They are then detected every detect_every frames (1 to 300),
    when one is lost and when the picture changes. smoothing: None for none. Raises RequestError BAD_PARAMETER where a
    number is out of range.
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
