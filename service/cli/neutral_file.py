"""A person's resting face in a file: `mfn capture` writes it beside each take, and capture and watch read it.

    {"neutral": {"browDown_L": 0.0312, ...}}

The 46 coefficients of the API's `expression`, in [0, 1]. It is a part of a stream's configuration over WebSocket, too.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from service.cli.whole_file import whole_file
from service.errors import RequestError
from service.tracking.neutral import neutral_expression
from service.vision.arrays import Array

MAX_BYTES: Final = 2**16  # of a file; one has 1.5 KB
DECIMALS: Final = 5


class NeutralFileError(Exception):
    """A file holds no resting face; the message tells why and what to do."""


def write_neutral(path: Path, neutral: Array, names: Sequence[str]) -> None:
    """Writes a resting face (46,), whose coefficients have these names. Raises WriteError."""
    values = np.round(neutral.astype(np.float64), DECIMALS).tolist()
    with whole_file(path) as file:
        file.write(json.dumps({"neutral": dict(zip(names, values, strict=True))}, indent=1).encode() + b"\n")


def read_neutral(path: Path, names: Sequence[str]) -> Array:
    """Reads a resting face (46,) float32 with the coefficients of these names. Raises NeutralFileError."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_BYTES))
    except OSError as error:
        raise NeutralFileError(f"{path}: {error.strerror}. Give the file of a resting face.") from error
    except (ValueError, RecursionError) as error:  # the latter of brackets within brackets
        raise NeutralFileError(f"{path} is no JSON. {_expected()}") from error
    found = document.get("neutral") if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise NeutralFileError(f"{path} holds no resting face. {_expected()}")
    try:
        return neutral_expression(found, names)
    except RequestError as error:
        raise NeutralFileError(f"{path}: {error.detail}") from error


def _expected() -> str:
    return "Give a file that `mfn capture` has written, such as person-1.neutral.json."
