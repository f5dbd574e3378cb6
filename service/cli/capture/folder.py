"""The folder that takes are written into, and what is there already."""

import sys
from collections.abc import Iterable, Sequence
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
        files = (file for file in self.path.glob("person-*"))
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

    def write(self, take: Take, formats: Iterable[Format]) -> list[Path]:
        """Writes a take in formats, and its resting face. Returns the files. Raises OSError, see Format."""
        files = []
        for kind in formats:
            file = self.path / f"person-{take.person}{kind.suffix}"
            kind.write(take, file)
            files.append(file)
        if take.neutral is not None:
            file = self.path / f"person-{take.person}{NEUTRAL}"
            write_neutral(file, take.neutral, take.expression_names)
            files.append(file)
        return files

    def keep_only(self, files: Sequence[Path]) -> None:
        """Removes takes of an earlier capture that are not among the files."""
        for file in set(self.takes()) - set(files):
            file.unlink()
