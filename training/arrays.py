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
        with path.open("rb") as stream:
            file: Any = np.load(stream)
            if not isinstance(file, NpzFile):
                raise SystemExit(f"{path} is no .npz file, but a single array{end}")
            missing = [name for name in names if name not in file.files]
            if missing:
                told = f"holds no {' and no '.join(missing)}"
                raise SystemExit(f"{path} {told}: an older version's, or another kind of file{end}")
            arrays: dict[str, Any] = {name: file[name] for name in names or file.files}
    except FileNotFoundError:
        raise SystemExit(f"{path} is missing{end}") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise SystemExit(f"{path} is no .npz file of arrays ({error}){end}") from error
    others = [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]
    if others:
        raise SystemExit(f"{path} is no .npz file of arrays ({others[0]} is none){end}")
    return arrays


def map_array(path: Path, advice: str = "") -> np.ndarray:
    """The array of an .npy file, mapped into memory copy-on-write: nothing is written, and its pages are shared between
    processes.

    Raises SystemExit, as read_arrays does, where the file is missing or no array.
    """
    end = f"; {advice}" if advice else ""
    try:
        return np.lib.format.open_memmap(path, mode="c")
    except FileNotFoundError:
        raise SystemExit(f"{path} is missing{end}") from None
    except (OSError, ValueError, EOFError) as error:
        raise SystemExit(f"{path} is no .npy file of an array ({error}){end}") from error
