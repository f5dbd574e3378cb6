"""Whatever is wrong with a file of arrays, one line says so and names it."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from training.arrays import map_array, read_arrays


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def test_the_arrays_that_are_asked_for_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", a=np.arange(3), b=np.ones(2), c=np.zeros(1))
    found = read_arrays(tmp_path / "some.npz", "b", "a")
    assert {name: array.tolist() for name, array in found.items()} == {"b": [1, 1], "a": [0, 1, 2]}
    assert set(read_arrays(tmp_path / "some.npz")) == {"a", "b", "c"}


def test_a_missing_file_is_told_with_what_makes_it(tmp_path: Path) -> None:
    path, advice = tmp_path / "none", "run python -m training.labels"
    for read in (lambda: read_arrays(path, advice=advice), lambda: map_array(path, advice)):
        with pytest.raises(SystemExit) as raised:
            read()
        assert raised.value.code == f"{path} is missing; {advice}"


def test_a_missing_array_is_told_by_its_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", a=np.arange(3))
    with pytest.raises(SystemExit, match=r"some\.npz holds no b and no c: an older version's"):
        read_arrays(tmp_path / "some.npz", "a", "b", "c")


@pytest.mark.parametrize("content", [b"", b"nothing of numpy's", b"PK\x03\x04 and no archive"])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    path.write_bytes(content)
    with pytest.raises(SystemExit, match=r"some\.npz is no \.npz file of arrays"):
        read_arrays(path)
    with pytest.raises(SystemExit, match=r"some\.npz is no \.npy file of an array"):
        map_array(path)


def test_files_that_were_cut_off_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", a=np.arange(3000))
    np.save(tmp_path / "some.npy", np.arange(3000))
    for path in tmp_path.iterdir():
        cut(path)
    with pytest.raises(SystemExit, match=r"some\.npz is no \.npz file of arrays"):
        read_arrays(tmp_path / "some.npz", "a")
    with pytest.raises(SystemExit, match=r"some\.npy is no \.npy file of an array"):
        map_array(tmp_path / "some.npy")


def test_one_array_and_several_are_not_taken_for_each_other(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.arange(3))
    np.savez(tmp_path / "several.npz", a=np.arange(3))
    with pytest.raises(SystemExit, match=r"one\.npy is no \.npz file, but a single array"):
        read_arrays(tmp_path / "one.npy")
    with pytest.raises(SystemExit, match=r"several\.npz is no \.npy file of an array"):
        map_array(tmp_path / "several.npz")


def test_an_archive_of_other_things_holds_no_arrays(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "some.npz", "w") as archive:
        archive.writestr("a.npy", b"no array")
    with pytest.raises(SystemExit, match=r"some\.npz"):
        read_arrays(tmp_path / "some.npz", "a")


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", a=np.array([{}], object))
    with pytest.raises(SystemExit, match=r"some\.npz is no \.npz file of arrays \(Object arrays cannot be loaded"):
        read_arrays(tmp_path / "some.npz")
