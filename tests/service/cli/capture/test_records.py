from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from service.cli.capture.records import WIDTH, Record, Records, faces_of, rows_of

HEADER = {"source": "film.mp4", "options": {"refine": True}}


def record(number: int, faces: int = 2) -> Record:
    rows = np.random.default_rng(number).random((faces, WIDTH)).astype(np.float32)
    return Record(number / 30, 1920, 1080, number % 4, rows)


def assert_same(found: list[Record], expected: list[Record]) -> None:
    assert [(r.timestamp, r.width, r.height, r.turn) for r in found] == [
        (r.timestamp, r.width, r.height, r.turn) for r in expected
    ]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.rows, b.rows)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "records"
    records = Records.create(path, HEADER)
    for number in range(5):
        records.append(record(number, faces=number))
    records.close()
    return path


@contextmanager
def resumed(path: Path) -> Iterator[Records]:
    records = Records.resume(path)
    assert records is not None
    with closing(records):
        yield records


def test_what_is_written_is_read_back(written: Path) -> None:
    with resumed(written) as records:
        assert records.header == HEADER
        assert len(records) == 5
        assert_same(list(records), [record(number, faces=number) for number in range(5)])


def test_rows_hold_every_field_of_faces() -> None:
    rows = record(1, faces=3).rows
    np.testing.assert_array_equal(rows_of(faces_of(rows)), rows)


@pytest.mark.parametrize("cut", [1, 4, 100, 4 * WIDTH])
def test_what_a_crash_has_cut_is_written_anew(written: Path, cut: int) -> None:
    written.write_bytes(written.read_bytes()[:-cut])
    with resumed(written) as records:
        assert_same(list(records), [record(number, faces=number) for number in range(4)])
        records.append(record(9))
        assert len(records) == 5
        assert_same(list(records)[4:], [record(9)])
    with resumed(written) as records:
        assert_same(list(records)[4:], [record(9)])


@pytest.mark.parametrize("count", [0, 2, 5, 9])
def test_the_first_frames_are_kept(written: Path, count: int) -> None:
    with resumed(written) as records:
        records.keep(count)
        assert len(records) == min(count, 5)
        records.append(record(9))
    expected = [*(record(number, faces=number) for number in range(min(count, 5))), record(9)]
    with resumed(written) as records:
        assert_same(list(records), expected)


def test_what_follows_damage_is_passed_over(written: Path) -> None:
    data = bytearray(written.read_bytes())
    data[-4 * WIDTH * 7] ^= 1  # in record 3
    written.write_bytes(data)
    with resumed(written) as records:
        assert len(list(records)) == 3


@pytest.mark.parametrize("begin", [b"", b"{}", b"no json\n", b"[]\n"])
def test_a_file_with_a_damaged_beginning_is_refused(tmp_path: Path, begin: bytes) -> None:
    path = tmp_path / "records"
    path.write_bytes(begin)
    assert Records.resume(path) is None
