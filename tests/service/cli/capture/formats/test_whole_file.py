"""A file is there as a whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from service.cli.capture.formats import FORMATS
from service.cli.capture.formats.whole_file import WriteError, whole_file
from tests.service.cli.capture.formats import takes


def write_half(path: Path, end: BaseException) -> None:
    with whole_file(path) as file:
        file.write(b"half")
        raise end


def test_it_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    path.write_text("old")
    with whole_file(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_half(path, KeyboardInterrupt())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"take\.csv cannot be written: No space left on device"):
        write_half(tmp_path / "take.csv", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_writes_where_there_is_no_folder(name: str, tmp_path: Path) -> None:
    path = tmp_path / "missing" / f"take{FORMATS[name].suffix}"
    with pytest.raises(WriteError, match="cannot be written: No such file or directory"):
        FORMATS[name].write(takes.take(), path)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_no_format_leaves_half_a_file_on_a_full_disk(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"take{FORMATS[name].suffix}"
    path.with_name(path.name + ".part").symlink_to("/dev/full")
    with pytest.raises(WriteError, match="No space left on device"):
        FORMATS[name].write(takes.take(), path)
    assert not list(tmp_path.iterdir())
