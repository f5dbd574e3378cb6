"""Reads files of arrays for commands: whatever is wrong with a file ends the command with one line that names it."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile


def read_arrays(path: Path, *names: str, advice: str = "") -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name: those asked for, or all of it where no name is given.

    Raises SystemExit, with `advice` at the end of its message, where the file is missing, no .npz of arrays, or lacks
    one of them.
    """
    end = f"; {advice}" if advice else ""
    try:
        file: Any = np.load(path)
        if not isinstance(file, NpzFile):
            raise SystemExit(f"{path} is no .npz file, but a single array{end}")
        with file:
            missing = [name for name in names if name not in file.files]
            if missing:
                raise SystemExit(
                    f"{path} holds no {' and no '.join(missing)}: an older version's, or another kind of file{end}"
                )
            return {name: file[name] for name in names or file.files}
    except FileNotFoundError:
        raise SystemExit(f"{path} is missing{end}") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise SystemExit(f"{path} is no .npz file of arrays ({error}){end}") from error


def map_array(path: Path, advice: str = "") -> np.ndarray:
    """The array of an .npy file, mapped into memory copy-on-write: nothing is written, and its pages are shared between
    processes.

    Raises SystemExit, as read_arrays does, where the file is missing or no array.
    """
    end = f"; {advice}" if advice else ""
    try:
        array: Any = np.load(path, mmap_mode="c")
    except FileNotFoundError:
        raise SystemExit(f"{path} is missing{end}") from None
    except (OSError, ValueError, EOFError) as error:
        raise SystemExit(f"{path} is no .npy file of an array ({error}){end}") from error
    if not isinstance(array, np.ndarray):
        raise SystemExit(f"{path} is no .npy file of an array, but an archive of several{end}")
    return array
