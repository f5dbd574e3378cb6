"""The file of a capture under way: what the networks have found in each frame, appended frame by frame.

It begins with a line of JSON that tells what is captured and how. Each frame's record has its timestamp, the turn of
the network's input, its faces in the order of the fields of Faces, and a checksum. What a crash has cut or damaged is
passed over, with what follows it.
"""

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import numpy as np

from service.vision.arrays import Array
from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES
from service.vision.faces import Faces
from service.vision.gaze import GAZE_COEFFICIENTS

HEAD: Final = struct.Struct("<dIIBH")  # timestamp in seconds, width and height in pixels, turn, number of faces
CHECKSUM: Final = struct.Struct("<I")
WIDTHS: Final = {
    "score": 1, "box": 4, "quaternion": 4, "translation": 3, "scale": 1,
    "identity": IDENTITY_MODES, "expression": EXPRESSIONS, "gaze": GAZE_COEFFICIENTS,
}  # fmt: skip
COLUMNS: Final = {  # of a face's row, by the fields of Faces
    name: slice(start, start + width)
    for (name, width), start in zip(WIDTHS.items(), np.cumsum([0, *WIDTHS.values()]).tolist(), strict=False)
}
WIDTH: Final = sum(WIDTHS.values())


@dataclass(frozen=True)
class Record:
    """A frame. timestamp: seconds. width, height: pixels, as shown. turn: of the network's input, see
    service.vision.turns. rows: (N, 117) float32, its faces, see COLUMNS."""

    timestamp: float
    width: int
    height: int
    turn: int
    rows: Array

    @property
    def faces(self) -> Faces:
        """The faces of the frame."""
        return faces_of(self.rows)


def faces_of(rows: Array) -> Faces:
    """Faces of rows (N, 117)."""
    columns = {name: rows[:, part] for name, part in COLUMNS.items()}
    return Faces(**columns | {name: columns[name][:, 0] for name in ("score", "scale")})


def rows_of(faces: Faces) -> Array:
    """Rows (N, 117) float32 of faces."""
    parts = [getattr(faces, field.name).reshape(len(faces), WIDTHS[field.name]) for field in fields(Faces)]
    return np.concatenate(parts, axis=1).astype("<f4")


class Records:
    """The file of a capture, open for appending. header: what was written first, as JSON types."""

    def __init__(self, file: BinaryIO, header: dict[str, Any], start: int, end: int) -> None:
        """file: unbuffered. start, end: of the records that are whole, bytes."""
        self.header = header
        self._file, self._start, self._end, self._count = file, start, end, 0

    @classmethod
    def create(cls, path: Path, header: dict[str, Any]) -> Self:
        """Begins a file. Raises OSError."""
        line = json.dumps(header).encode() + b"\n"
        file = path.open("w+b", buffering=0)
        file.write(line)
        return cls(file, header, len(line), len(line))

    @classmethod
    def resume(cls, path: Path) -> Self | None:
        """Opens a file that was not finished; None where its beginning is damaged. Raises OSError."""
        file = path.open("r+b", buffering=0)
        line = file.readline()
        try:
            header = json.loads(line)
        except ValueError:
            header = None
        if not isinstance(header, dict) or not line.endswith(b"\n"):
            file.close()
            return None
        records = cls(file, header, len(line), os.fstat(file.fileno()).st_size)
        end = len(line)
        for record in records:
            records._count, end = records._count + 1, end + len(_packed(record))
        records._end = end
        return records

    def append(self, record: Record) -> None:
        """Writes a frame's record; it outlives this process. Raises OSError, and then the file is as before."""
        packed = _packed(record)
        self._file.seek(self._end)
        if self._file.write(packed) != len(packed):  # of a disk that is full, a part may fit
            raise OSError(28, "No space left on device")
        self._end, self._count = self._end + len(packed), self._count + 1

    def __len__(self) -> int:
        return self._count

    def keep(self, count: int) -> None:
        """Keeps the first `count` frames; the next one is written after them."""
        self._end = self._start + sum(len(_packed(record)) for record in islice(self, count))
        self._file.truncate(self._end)
        self._count = min(count, self._count)

    def __iter__(self) -> Iterator[Record]:
        """The frames' records, in order."""
        with open(self._file.fileno(), "rb", closefd=False) as file:
            file.seek(self._start)
            while file.tell() < self._end and (record := _read(file)) is not None:
                yield record

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _packed(record: Record) -> bytes:
    head = HEAD.pack(record.timestamp, record.width, record.height, record.turn, len(record.rows))
    body = head + record.rows.astype("<f4").tobytes()
    return body + CHECKSUM.pack(zlib.crc32(body))


def _read(file: BinaryIO) -> Record | None:
    """The next record; None where it is damaged or cut off."""
    head = file.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    timestamp, width, height, turn, count = HEAD.unpack(head)
    values = file.read(4 * WIDTH * count)
    checksum = file.read(CHECKSUM.size)
    if len(checksum) < CHECKSUM.size or zlib.crc32(head + values) != CHECKSUM.unpack(checksum)[0]:
        return None
    return Record(timestamp, width, height, turn, np.frombuffer(values, "<f4").reshape(count, WIDTH))
