"""Files that are there as a whole or not at all: a full disk or Ctrl-C leaves no half of one."""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final

PART: Final = ".part"  # what the name ends with until the file is whole
NOT_PERMITTED: Final = "you may not write there, or another program has it open. Change that"
REASONS: Final[Mapping[int | None, str]] = MappingProxyType(  # why a file cannot be written, and what to do
    {
        errno.EACCES: NOT_PERMITTED,
        errno.EDQUOT: "your share of the disk is used up. Make room there",
        errno.EISDIR: "a folder has that name. Move it away",
        errno.ENOENT: "its folder is not there. Make it",
        errno.ENOSPC: "the disk is full. Make room there",
        errno.EPERM: NOT_PERMITTED,
        errno.EROFS: "its disk may only be read. Make it writable",
    }
)


class WriteError(OSError):
    """A file cannot be written; the message tells which, why and what to do."""


def cannot_write(path: Path | str, error: OSError) -> str:
    """In words, that a file cannot be written, why, and what to do."""
    # Windows does not tell a folder from a file that one may not write.
    code = errno.EISDIR if isinstance(error, PermissionError) and Path(path).is_dir() else error.errno
    reason = REASONS.get(code, f"{error.strerror or error}. Mend that")
    return f"{path} cannot be written: {reason}, or write to another place."


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
            if not part.is_dir():
                part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WriteError(cannot_write(part if part.is_dir() else path, error)) from error
