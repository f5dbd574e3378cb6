"""The addon's GDScript parses, and has the style of Godot's own guide; so has what the page shows."""

import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.clients.godot.project import ADDON, SCENE, global_class
from tests.docs.pages import ROOT

pytest.importorskip("gdtoolkit", reason="the package gdtoolkit, which reads GDScript, is not installed")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Those of the addon, of its test, and of the page."""
    page = (ROOT / "docs/godot.md").read_text(encoding="utf-8")
    shown = re.findall(r"^( *)```gdscript\n(.*?)^\1```", page, re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    folder = tmp_path_factory.mktemp("page")
    for number, (_, script) in enumerate(shown):
        (folder / f"{number}.gd").write_text(dedent(script), encoding="utf-8")
    return [*ADDON.glob("*.gd"), SCENE, *folder.glob("*.gd")]


def check(module: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"gdtoolkit.{module}", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_nothing(scripts: list[Path]) -> None:
    check("linter", *scripts)


def test_they_are_formatted(scripts: list[Path]) -> None:
    check("formatter", "--check", *scripts)


def test_every_script_with_a_name_is_found() -> None:
    assert all(global_class(script) for script in ADDON.glob("mfn_*.gd"))
