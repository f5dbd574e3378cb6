"""The folder that takes are written into, and what is there already."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.cli.capture.formats import FORMATS
from service.cli.capture.formats.format import Format
from service.cli.capture.take import Take
from service.cli.neutral_file import write_neutral

RECORDS: Final = "capture.unfinished"  # the file of a capture under way
NEUTRAL: Final = ".neutral.json"  # what the name of a resting face's file ends with


@dataclass(frozen=True)
class TakeFolder:
    """The folder of a capture's takes: person-1.csv, person-1.glb, person-2.csv and so on, and of each
    person the resting face, person-1.neutral.json."""

    path: Path

    @property
    def records(self) -> Path:
        """The file of a capture under way, which is there until it is finished."""
        return self.path / RECORDS

    def takes(self) -> list[Path]:
        """The files of takes that are there."""
        suffixes = {kind.suffix for kind in FORMATS.values()}
        files = (file for file in self.path.glob("person-*") if file.is_file())
        return sorted(file for file in files if file.suffix in suffixes or file.name.endswith(NEUTRAL))

    def may_replace(self, force: bool) -> bool:
        """Whether takes that are there may be replaced: where there are none, with `force`, or where the user says so.

        Only a terminal is asked.
        """
        takes = self.takes()
        if not takes or force:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        print(f"mfn: {self.path} has takes already, {takes[0].name} and so on. Replace them? [y/N] ", end="",
              file=sys.stderr, flush=True)  # fmt: skip
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def write(self, take: Take, formats: Iterable[Format]) -> None:
        """Writes a take in formats, and its resting face. Raises OSError, see Format."""
        for kind in formats:
            kind.write(take, self._file(take.person, kind.suffix))
        neutral = self._file(take.person, NEUTRAL)
        if take.neutral is None:
            neutral.unlink(missing_ok=True)  # an earlier one
        else:
            write_neutral(neutral, take.neutral, take.expression_names)

    def keep_only(self, people: int, formats: Iterable[Format]) -> None:
        """Removes takes of an earlier capture, but for those that the takes of so many people in formats replace."""
        suffixes = [*(kind.suffix for kind in formats), NEUTRAL]
        replaced = {self._file(person, suffix) for person in range(1, people + 1) for suffix in suffixes}
        for file in set(self.takes()) - replaced:
            file.unlink()

    def _file(self, person: int, suffix: str) -> Path:
        return self.path / f"person-{person}{suffix}"
