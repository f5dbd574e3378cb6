"""Values of options that several commands have, checked as they are read."""

import argparse
from typing import Final

from service.tiles import MAX_TILES

OK: Final = 0  # exit codes, see service.cli
FAILED: Final = 1


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
