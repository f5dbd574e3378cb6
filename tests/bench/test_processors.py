"""The table of processors, and what is said where they cannot be emulated. tests/models/test_processors.py emulates."""

import platform
from pathlib import Path

import pytest

from bench.processors import PHOTOS, as_table, emulators
from service.vision.faces import Faces

linux = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="not on Linux x86-64, where QEMU is of use"
)


def test_the_photos_are_there() -> None:
    assert all(photo.exists() for photo in PHOTOS)


def test_without_faces_there_are_no_means() -> None:
    """A row for each processor and system."""
    answers = {"MFN": [Faces.none()], "MFN + SFN": [Faces.none()]}
    lines = as_table({"SSE": answers, "AVX2": answers}, answers).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert cells == [[name, system, "0 of 0", "-", "-", "-"] for name in ("SSE", "AVX2") for system in answers]


@linux
def test_no_emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError, match="qemu-x86_64 is not installed"):
        emulators()


@linux
@pytest.mark.parametrize("lacks", ["pcid", "avx2"])
def test_an_emulator_may_lack_what_the_networks_do_not_need(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lacks: str
) -> None:
    program = tmp_path / "qemu-x86_64"
    program.write_text(f'#!/bin/sh\necho "warning: TCG doesn\'t support requested feature: {lacks}" >&2\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    if lacks == "avx2":
        with pytest.raises(OSError, match="does not emulate AVX2"):
            emulators()
    else:
        assert [command[:3] for command in emulators().values()] == [
            [str(program), "-cpu", "Haswell-noTSX"],
            [str(program), "-cpu", "Nehalem"],
        ]
