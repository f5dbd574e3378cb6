"""The Kotlin in models/mobile/ gives what the Python gives: compiled here, and run on the test vectors.

The README's code is compiled with it, against stubs/, which declare what it uses of CameraX and LiteRT. The compiler
takes a minute on a busy core; without kotlinc and java on PATH nothing is run.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

KOTLINC, JAVA = shutil.which("kotlinc"), shutil.which("java")
HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(not (KOTLINC and JAVA), reason="kotlinc and java are not both on PATH")


def test_kotlin_agrees_and_the_readme_compiles(mobile: Path, tmp_path: Path) -> None:
    sources = [*sorted((mobile / "kotlin" / "mfn").glob("*.kt")), HERE / "Check.kt", *sorted(HERE.glob("stubs/*.kt"))]
    snippets = re.findall(r"^```kotlin\n(.*?)^```", (mobile / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    for i, text in enumerate(text for text in snippets if not text.startswith("// build.gradle.kts")):
        sources.append(tmp_path / f"Snippet{i}.kt")
        sources[-1].write_text(text)
    assert len(sources) == 6 + 1 + 3 + 4
    jar = tmp_path / "check.jar"
    command: list[str | Path] = [str(KOTLINC), *sources, "-include-runtime", "-d", jar]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    command = [str(JAVA), "-jar", jar, mobile / "vectors.txt", mobile / "landmarks.bin"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    sections = [line.split(":")[0] for line in result.stdout.splitlines()]
    assert sections == ["rotations", "letterboxes", "arkit", "cases", "refinements", "squares", "samples"]
