"""The options of a request for a picture's faces, validated on construction."""

from dataclasses import dataclass

from service.errors import out_of_range
from service.settings import FACES_RANGE, SCORE_RANGE
from service.vision.tile_layout import MAX_TILES


@dataclass(frozen=True)
class RetargetOptions:
    """Options of a request. Raises RequestError BAD_PARAMETER where a number is out of range.

    min_score: lowest score of a face, 0.01 to 1. max_faces: number of faces at most, the best ones, 1 to 100. refine:
    whether the Single Face Network refines each face. tiles: number of tiles along the longer side, for small faces, 1
    (the whole picture only) to MAX_TILES. input_size: side in pixels of the Multiple Face Network's input, one of
    Models.priors, which is checked where the models are known; None for the default. With a larger one than the
    default, inference at the default size takes place, too, for faces that fill the picture.
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
    """Raises RequestError BAD_PARAMETER unless low <= value <= high. name: of the parameter, for the message."""
    if not low <= value <= high:  # a NaN is in no range
        raise out_of_range(name, value, low, high)
