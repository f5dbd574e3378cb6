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

SCRIPTS = [*sorted(ADDON.glob("*.gd")), SCENE]


def check(module: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"gdtoolkit.{module}", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_nothing() -> None:
    check("linter", *SCRIPTS)


def test_it_is_formatted() -> None:
    check("formatter", "--check", *SCRIPTS)


def test_scripts_on_the_page_are_formatted(tmp_path: Path) -> None:
    page = (ROOT / "docs/godot.md").read_text(encoding="utf-8")
    shown = re.findall(r"^( *)```gdscript\n(.*?)^\1```", page, re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    for number, (_, script) in enumerate(shown):
        file = tmp_path / f"{number}.gd"
        file.write_text(dedent(script), encoding="utf-8")
        check("linter", file)
        check("formatter", "--check", file)


def test_every_script_with_a_name_is_found() -> None:
    assert all(global_class(script) for script in ADDON.glob("mfn_*.gd"))
