"""What a format of a take's files is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from service.cli.capture.take import Take


@dataclass(frozen=True)
class Format:
    """A format of a take's files.

    suffix: of the files' names, with its dot. write: writes a take into a file, in the place of one that is there.
    It raises WriteError where that fails, and leaves what was there.
    """

    suffix: str
    write: Callable[[Take, Path], None]
