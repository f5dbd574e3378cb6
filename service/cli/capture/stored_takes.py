"""Takes in a file without a name, so that those of many people in a long film need not be in memory together."""

from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from service.cli.capture.blocks import FRAMES, blocks
from service.cli.capture.records import WIDTHS
from service.cli.capture.take import Film, Take
from service.vision.arrays import Array
from service.vision.faces import Faces

OF_FRAMES: Final = tuple(field.name for field in fields(Faces) if field.name != "identity")
ROW: Final = np.dtype([("known", "?"), *((name, "<f4", (WIDTHS[name],)) for name in OF_FRAMES)])


@dataclass(frozen=True)
class _Stored:
    """What a take has but once. start: of its rows in the file, bytes."""

    person: int
    identity: Array
    neutral: Array | None
    start: int


@dataclass(frozen=True)
class Shown:
    """The people who are known in a frame. person: their numbers, (n,). faces: theirs. neutral: of each."""

    person: NDArray[np.int64]
    faces: Faces
    neutral: tuple[Array | None, ...]


class StoredTakes:
    """Takes of one film."""

    def __init__(self, folder: Path, film: Film) -> None:
        """folder: in whose file system the file is. film: of all takes. Raises OSError."""
        self.film = film
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115  closed by close
        self._takes: list[_Stored] = []
        self._block, self._rows = -1, np.zeros((0, 0), ROW)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._takes)

    def add(self, take: Take) -> None:
        """Stores a take. Raises OSError."""
        self._takes.append(_Stored(take.person, take.identity, take.neutral, self._file.seek(0, 2)))
        for frames in blocks(len(take.film)):
            rows = np.zeros(frames.stop - frames.start, ROW)
            rows["known"] = take.known[frames]
            for name in OF_FRAMES:
                rows[name] = getattr(take, name)[frames].reshape(rows[name].shape)
            self._file.write(rows.tobytes())

    def at(self, frame: int) -> Shown:
        """The people in a frame; there is a take at least."""
        if frame // FRAMES != self._block:
            self._block = frame // FRAMES
            self._rows = np.stack([self._read(take, self._block) for take in self._takes])
        rows = self._rows[:, frame % FRAMES]
        known = np.flatnonzero(rows["known"])
        takes = [self._takes[index] for index in known]
        if not takes:
            return Shown(np.zeros(0, np.int64), Faces.none(), ())
        columns = {name: rows[name][known] for name in OF_FRAMES}
        columns |= {name: columns[name][:, 0] for name in ("score", "scale")}
        faces = Faces(identity=np.stack([take.identity for take in takes]), **columns)
        return Shown(np.array([take.person for take in takes]), faces, tuple(take.neutral for take in takes))

    def _read(self, take: _Stored, block: int) -> NDArray[np.void]:
        self._file.seek(take.start + block * FRAMES * ROW.itemsize)
        count = min(FRAMES, len(self.film) - block * FRAMES)
        return np.frombuffer(self._file.read(count * ROW.itemsize), ROW)
