import subprocess
from pathlib import Path

import pytest

from tools import weight


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit of one file."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "numbers.txt").write_text(" ".join(str(i * i) for i in range(1300)))
    git = ["git", "-C", str(folder), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "One"]):
        subprocess.run([*git, *command], check=True)
    return folder


def test_a_file_over_the_limit_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight, "LARGEST_FILE", 3)
    for name, size in {"a": 3, "b": 4}.items():
        (tmp_path / name).write_bytes(bytes(size))
    (line,) = weight.too_large([tmp_path / "a", tmp_path / "b", tmp_path / "gone"])
    assert line.startswith(f"{tmp_path / 'b'} has 4 bytes")
    assert weight.main([str(tmp_path / "a")]) == 0
    assert weight.main([str(tmp_path / "b")]) == 1


def test_a_clone_is_weighed_without_its_files(repository: Path) -> None:
    assert weight.tracked(repository) == [repository / "numbers.txt"]
    packed = (repository / "numbers.txt").stat().st_size / 5
    assert packed < weight.clone_size(repository) < 100_000
