"""Programs that others have written, which read the files."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.service.cli.capture.formats.takes import ROOT

READERS = Path(__file__).parent / "readers"
NODE_MODULES = ROOT / "studio" / "node_modules"
PATIENCE = 180  # seconds


def run(*command: str | Path) -> Any:
    """The JSON that a program prints in its last line."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def node(package: str) -> str:
    """Node, for a package of studio/node_modules; skips the test where one is missing."""
    if not (NODE_MODULES / package).is_dir():
        pytest.skip(f"studio/node_modules lacks {package}: run npm ci in studio/")
    path = shutil.which("node")
    if path is None:
        pytest.skip("node is not on the PATH")
    return path


def in_three(glb: Path, *seconds: float) -> Any:
    """What readers/three.mjs tells of a character at some times."""
    return run(node("three"), READERS / "three.mjs", NODE_MODULES, glb, *map(str, seconds))


def blender() -> str:
    """The interpreter with Blender's package; skips the test where none is named."""
    if "BLENDER_PYTHON" not in os.environ:
        pytest.skip("BLENDER_PYTHON does not name an interpreter with the package bpy")
    return os.environ["BLENDER_PYTHON"]
