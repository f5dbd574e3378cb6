"""Shell blocks are taken apart as a shell does it, and what no page may tell to type is found."""

from pathlib import Path
from subprocess import CalledProcessError

import pytest

from tests.docs.checkout import Checkout
from tests.docs.programs import follow
from tests.docs.shell import Command, ShellBlock, commands_of, shell_blocks

PAGE = """# A page

    - in a list:

        ```sh
        mfn watch 0 # a camera
        ```

        ```text
        1 face
        ```

```sh
make run
```

What it prints is not this:

```text
nothing
```
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path, "127.0.0.1:1", "127.0.0.1:1")


def test_a_block_is_its_commands() -> None:
    block = """GAME=../game
mkdir -p $GAME/a && cp 'x y' "$GAME/a"  # both
A=1 B=2 curl \\
  -F a=@b u | mfn - > out.json
"""
    assert list(commands_of(block)) == [
        Command([], {"GAME": "../game"}),
        Command(["mkdir", "-p", "../game/a"]),
        Command(["cp", "x y", "../game/a"]),
        Command(["curl", "-F", "a=@b", "u"], {"A": "1", "B": "2"}),
        Command(["mfn", "-"], output="out.json"),
    ]


def test_text_right_after_a_block_is_what_it_prints(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert shell_blocks(page) == [ShellBlock("mfn watch 0 # a camera\n", "1 face\n"), ShellBlock("make run\n", "")]


@pytest.mark.parametrize(
    "typed",
    [
        "frobnicate --all",  # which no test knows
        ".venv/bin/mfn watch clip.mp4 --no-such-option",
        ".venv/bin/mfn retarget",
        ".venv/bin/pip install no-such-package",
        ".venv/bin/pytest tests/no_such_test.py",
        ".venv/bin/python -m studio.modelling --no-such-option",
        "npm --prefix no-such-folder ci",
        "make no-such-target",
        "docker build -t mfn no-such-folder",
        "kubectl apply -k no-such-folder",
        "cp no-such-file elsewhere",
        "curl http://localhost:8000/retarget?a=1&b=2",  # whose & needs quotes
    ],
)
def test_what_is_wrong_is_found(typed: str, checkout: Checkout) -> None:
    (checkout.folder / "Makefile").write_text("run:\n")
    (checkout.folder / "pyproject.toml").write_text("[project]\noptional-dependencies = {}\n")
    (checkout.folder / "studio/modelling").mkdir(parents=True)
    (checkout.folder / "studio/modelling/__main__.py").write_text('"--out"')
    (command,) = commands_of(typed)
    with pytest.raises((AssertionError, OSError, SystemExit, CalledProcessError)):
        follow(command, checkout)
