"""What a format of a take's files is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from service.cli.capture.take import Film, Take


def holds_every_film(_: Film) -> None:
    """No refusal, of any film."""


@dataclass(frozen=True)
class Format:
    """A format of a take's files.

    suffix: of the files' names, with its dot. write: writes a take into a file, in the place of one that is there.
    It raises WriteError where that fails, and leaves what was there. refusal: of a film that the format cannot hold, in
    words why and what to do; None of any other.
    """

    suffix: str
    write: Callable[[Take, Path], None]
    refusal: Callable[[Film], str | None] = holds_every_film
