"""Files that are there as a whole or not at all: a full disk or Ctrl-C leaves no half of one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

PART: Final = ".part"  # what the name ends with until the file is whole


class WriteError(OSError):
    """A take's file cannot be written; the message tells which, why and what to do."""


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A new file to write to, which takes the place of `path` at the end of the block.

    After an exception nothing is left of it, and what was at `path` is as before. Raises WriteError for an OSError.
    """
    part = path.with_name(path.name + PART)
    try:
        try:
            with part.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())  # before the name is given: after a loss of power no empty file may have it
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise WriteError(f"{path} cannot be written: {reason}. Make room there, or write to another folder.") from error
