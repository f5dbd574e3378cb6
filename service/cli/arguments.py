"""Options that several commands have, and the parsers of their values."""

import argparse
from typing import Final, TypeVar

from service.errors import RequestError
from service.inference.models import Models
from service.settings import FACES_RANGE, SCORE_RANGE
from service.vision.tile_layout import MAX_TILES

Number = TypeVar("Number", int, float)
OK: Final = 0  # exit code, see service.cli.main
FAILED: Final = 1  # exit code


def add_input_size(parser: argparse.ArgumentParser) -> None:
    """Adds the option --input-size."""
    parser.add_argument(
        "--input-size",
        type=int,
        metavar="PIXELS",
        help="along the longer side, at which the network sees a picture, as 288, 416 or 576: more of them show "
        "smaller faces, and take longer (default: the models' own)",
    )


def check_input_size(parser: argparse.ArgumentParser, models: Models, chosen: argparse.Namespace) -> None:
    """Ends the program with a message and exit code 2 where the models do not accept the chosen --input-size."""
    try:
        models.input_size(chosen.input_size)
    except RequestError as error:
        parser.error(f"--input-size: {error}")


def score(text: str) -> float:
    """Parses the score of a face."""
    return _within(float(text), text, *SCORE_RANGE)


def count(text: str) -> int:
    """Parses a number of faces."""
    return _within(int(text), text, *FACES_RANGE)


def tiles(text: str) -> int:
    """Parses the number of tiles along a picture's longer side."""
    return _within(int(text), text, 1, MAX_TILES)


def _within(value: Number, text: str, low: float, high: float) -> Number:
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text} is not from {low:g} to {high:g}")
    return value
