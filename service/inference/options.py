"""What a request for a picture's faces may choose, checked when it is chosen."""

from dataclasses import dataclass

from service.errors import out_of_range
from service.settings import FACES_RANGE, SCORE_RANGE
from service.vision.tile_layout import MAX_TILES


@dataclass(frozen=True)
class RetargetOptions:
    """What a request may choose. Raises RequestError BAD_PARAMETER where a number is out of range.

    min_score: least score of a face, 0.01 to 1. max_faces: the best ones, 1 to 100. refine: the Single Face Network
    looks at each face, too. tiles: into how many the longer side is cut, so that small faces are found, 1 (the whole
    picture only) to MAX_TILES. input_size: pixels of the longer side that the Multiple Face Network sees, one of
    Models.priors, which is checked where the models are known; None for the usual number. With more than that it sees
    the picture at the usual number, too, for faces that fill it.
    """

    min_score: float = 0.5
    max_faces: int = 20
    refine: bool = False
    tiles: int = 1
    input_size: int | None = None

    def __post_init__(self) -> None:
        check_range("min_score", self.min_score, *SCORE_RANGE)
        check_range("max_faces", self.max_faces, *FACES_RANGE)
        check_range("tiles", self.tiles, 1, MAX_TILES)


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raises RequestError BAD_PARAMETER unless value is within low..high, both included."""
    if not low <= value <= high:  # a NaN is in no range
        raise out_of_range(name, value, low, high)
