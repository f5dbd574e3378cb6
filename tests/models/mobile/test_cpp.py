"""The C++ in models/mobile/ gives what the Python gives: compiled here, and run on the test vectors."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

COMPILER = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), "")
CHECK = Path(__file__).with_name("check.cpp")
FLAGS = ("-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1")

pytestmark = pytest.mark.skipif(not COMPILER, reason="no C++ compiler on PATH: none of c++, g++, clang++")


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program check.cpp, linked with a second file that includes all headers."""
    folder = tmp_path_factory.mktemp("cpp")
    headers = CHECK.parents[3] / "models" / "mobile" / "cpp"
    second = folder / "second.cpp"
    names = sorted(path.name for path in (headers / "mfn").glob("*.hpp"))
    assert names
    second.write_text("".join(f'#include "mfn/{name}"\n' for name in names))
    program = folder / "check"
    command: list[str | Path] = [COMPILER, *FLAGS, "-I", headers, CHECK, second, "-o", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return program


def run(check: Path, *arguments: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([check, *arguments], capture_output=True, text=True, check=False)


def test_cpp_agrees(check: Path, mobile: Path) -> None:
    result = run(check, mobile / "vectors.txt", mobile / "landmarks.bin")
    assert result.returncode == 0, result.stdout + result.stderr
    sections = [line.split(":")[0] for line in result.stdout.splitlines()]
    assert sections == ["arkit", "cases", "letterboxes", "refinements", "rotations", "samples", "squares"]


@pytest.mark.parametrize("section", ["rotations", "arkit", "cases", "refinements"])
def test_a_wrong_number_is_noticed(check: Path, mobile: Path, tmp_path: Path, section: str) -> None:
    """The last number of a section, which is always a result."""
    blocks = (mobile / "vectors.txt").read_text(encoding="ascii").split("\n\n")
    index = next(i for i, block in enumerate(blocks) if f"\n{section} " in block)
    head, last = blocks[index].rsplit(" ", 1)
    blocks[index] = f"{head} {float(last) + 0.002}"
    wrong = tmp_path / "vectors.txt"
    wrong.write_text("\n\n".join(blocks), encoding="ascii")
    result = run(check, wrong, mobile / "landmarks.bin")
    assert result.returncode == 1, result.stdout + result.stderr


def test_the_readme_compiles(mobile: Path, tmp_path: Path) -> None:
    snippets = re.findall(r"^```cpp\n(.*?)^```", (mobile / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(snippets) == 1
    source = tmp_path / "snippet.cpp"
    source.write_text(snippets[0])
    command: list[str | Path] = [COMPILER, *FLAGS, "-fsyntax-only", "-I", mobile / "cpp", source]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_csv_of_priors(tmp_path: Path, mobile: Path) -> None:
    source = tmp_path / "priors.cpp"
    source.write_text(
        '#include "mfn/candidates.hpp"\n#include <cstdio>\n'
        'int main() { for (auto& p : mfn::read_priors("cx,cy,width,height\\n4,4,14,14\\r\\n12.5, 4, 36,30\\n\\n"))'
        ' std::printf("%g %g %g %g\\n", p.x, p.y, p.width, p.height); }\n'
    )
    program = tmp_path / "priors"
    subprocess.run([COMPILER, *FLAGS, "-I", mobile / "cpp", source, "-o", program], check=True)
    assert run(program).stdout.splitlines() == ["4 4 14 14", "12.5 4 36 30"]
