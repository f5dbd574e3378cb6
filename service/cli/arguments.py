"""Values of options that several commands have, checked as they are read."""

import argparse
from typing import Final

from service.errors import RequestError
from service.inference.models import Models
from service.vision.tiles import MAX_TILES

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
    value = float(text)
    if not 0.01 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0.01 to 1")
    return value


def count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to 100")
    return value


def tiles(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MAX_TILES:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {MAX_TILES}")
    return value
