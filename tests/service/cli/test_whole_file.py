"""A file is there as a whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from service.cli.capture.formats import FORMATS
from service.cli.whole_file import WriteError, cannot_write, whole_file
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


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EACCES, "you may not write there, or another program has it open. Change that"),
        (errno.EDQUOT, "your share of the disk is used up. Make room there"),
        (errno.ENOSPC, "the disk is full. Make room there"),
        (errno.EPERM, "you may not write there, or another program has it open. Change that"),
        (errno.EROFS, "its disk may only be read. Make it writable"),
        (errno.EIO, f"{os.strerror(errno.EIO)}. Mend that"),
    ],
)
def test_what_is_wrong_is_told_in_words(code: int, words: str, tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    with pytest.raises(WriteError) as told:
        write_half(path, OSError(code, os.strerror(code)))
    assert str(told.value) == f"{path} cannot be written: {words}, or write to another place."
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["take.csv", "take.csv.part"])
def test_a_folder_in_its_place_is_told_and_stays(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(WriteError) as told, whole_file(tmp_path / "take.csv") as file:
        file.write(b"whole")
    assert str(told.value).startswith(f"{tmp_path / name} cannot be written: a folder has that name. Move it away")
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_folder_that_windows_takes_for_a_file_without_permission(tmp_path: Path) -> None:
    assert "a folder has that name" in cannot_write(tmp_path, PermissionError(errno.EACCES, "Permission denied"))


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_writes_where_there_is_no_folder(name: str, tmp_path: Path) -> None:
    path = tmp_path / "missing" / f"take{FORMATS[name].suffix}"
    with pytest.raises(WriteError, match="cannot be written: its folder is not there"):
        FORMATS[name].write(takes.take(), path)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_no_format_leaves_half_a_file_on_a_full_disk(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"take{FORMATS[name].suffix}"
    path.with_name(path.name + ".part").symlink_to("/dev/full")
    with pytest.raises(WriteError, match="the disk is full"):
        FORMATS[name].write(takes.take(), path)
    assert not list(tmp_path.iterdir())
