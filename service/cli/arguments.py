"""Values of options that several commands have, checked as they are read."""

import argparse
from typing import Final, TypeVar

from service.errors import RequestError
from service.inference.models import Models
from service.settings import FACES_RANGE, SCORE_RANGE
from service.vision.tile_layout import MAX_TILES

Number = TypeVar("Number", int, float)
OK: Final = 0  # exit codes, see service.cli.main
FAILED: Final = 1


def add_input_size(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--input-size",
        type=int,
        metavar="PIXELS",
        help="along the longer side, at which the network sees a picture, as 288, 416 or 576: more of them show "
        "smaller faces, and take longer (default: the models' own)",
    )


def check_input_size(parser: argparse.ArgumentParser, models: Models, chosen: argparse.Namespace) -> None:
    """Ends the program with a sentence and exit code 2 where the models are not for what --input-size says."""
    try:
        models.input_size(chosen.input_size)
    except RequestError as error:
        parser.error(f"--input-size: {error}")


def score(text: str) -> float:
    """A face's score."""
    return _within(float(text), text, *SCORE_RANGE)


def count(text: str) -> int:
    """A number of faces."""
    return _within(int(text), text, *FACES_RANGE)


def tiles(text: str) -> int:
    """Into how many tiles a picture's longer side is cut."""
    return _within(int(text), text, 1, MAX_TILES)


def _within(value: Number, text: str, low: float, high: float) -> Number:
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text} is not from {low:g} to {high:g}")
    return value
