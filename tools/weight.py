"""Weighs the repository: `python -m tools.weight` fails where a file or a clone is heavier than is agreed.

A clone is what `git clone --depth 1` fetches of the commit that is checked out: the size of its .git, without the
files that are unpacked from it. `python -m tools.weight FILE...` looks at files alone, as before a commit.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
LARGEST_FILE: Final = 10_000_000  # bytes
LARGEST_CLONE: Final = 35_000_000


def too_large(files: Iterable[Path]) -> list[str]:
    """A line for each file that is larger than a file may be; what is gone weighs nothing."""
    sizes = {file: file.stat().st_size for file in files if file.is_file()}
    return [f"{file} has {size} bytes; at most {LARGEST_FILE} are allowed" for file, size in sizes.items()
            if size > LARGEST_FILE]  # fmt: skip


def tracked(repository: Path = ROOT) -> list[Path]:
    """The files of a repository that git tracks."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    return [repository / name for name in listed.split("\0") if name]


def clone_size(repository: Path = ROOT) -> int:
    """Bytes of the .git of a clone without history."""
    with TemporaryDirectory() as folder:
        command = ["git", "clone", "--quiet", "--depth", "1", "--no-checkout", repository.resolve().as_uri(), folder]
        subprocess.run(command, check=True)
        return sum(path.stat().st_size for path in (Path(folder) / ".git").rglob("*") if path.is_file())


def main(names: list[str]) -> int:
    """Says what is too large: of the files that are named, or of all and of a clone; returns the exit code."""
    complaints = too_large(map(Path, names) if names else tracked())
    if not names:
        size = clone_size()
        print(f"a clone without history has {size / 1e6:.1f} MB")
        if size > LARGEST_CLONE:
            complaints.append(f"that is more than {LARGEST_CLONE / 1e6:.0f} MB")
    print(*complaints, sep="\n", end="\n" if complaints else "", file=sys.stderr)
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
