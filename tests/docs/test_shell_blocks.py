"""Every shell block of the pages, from its first line to its last, as a reader pastes it; and the Python in them.

What runs here runs, in a checkout with short films and before a server; of the rest what it names is there
(tests/docs/programs.py). A command that no program is named for there fails.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from service.inference.models import Models
from tests.docs.checkout import Checkout, write_checkout, write_films
from tests.docs.pages import PAGES, README, ROOT, blocks, name_of
from tests.docs.programs import PROGRAMS, follow
from tests.docs.shell import ShellBlock, commands_of, shell_blocks
from tests.service.processes import free_port, server, wait_until_ready

CLIENTS: Final = sorted((ROOT / "clients").glob("*/README.md"))
DOCUMENTS: Final = (README, *PAGES, *CLIENTS)
COEFFICIENT: Final = re.compile(r"\b[a-z]+(?:[A-Z]\w*)+\b")  # as mouthSmile_L
NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
# Code in other languages, and the test that runs, compiles or parses it.
CODE: Final = {
    ("docs/capture-formats.md", "python"): "tests/service/cli/capture/formats/test_page.py",
    ("docs/kserve.md", "python"): "tests/docs/test_shell_blocks.py",
    ("docs/python.md", "python"): "tests/docs/test_shell_blocks.py",
    ("clients/python/README.md", "python"): "tests/clients/python/test_readme.py",
    ("docs/javascript.md", "js"): "tests/clients/javascript/test_client.py",
    ("clients/javascript/README.md", "js"): "tests/clients/javascript/test_client.py",
    ("docs/godot.md", "gdscript"): "tests/clients/godot/test_style.py",
    ("docs/unity.md", "csharp"): "tests/clients/unity/test_components.py",
    ("clients/unity/README.md", "csharp"): "tests/clients/unity/test_components.py",
    ("docs/android.md", "kotlin"): "tests/models/mobile/kotlin_program.py",
    ("docs/quickstart/phone.md", "kotlin"): "tests/models/mobile/kotlin_program.py",
    ("docs/quickstart/web.md", "html"): "tests/studio/browser/test_client.py",
}
TESTED_HERE: Final = {"sh", "text", "json"}  # blocks of any page; JSON by test_commands.py
# Pieces of programs that lie around them: each is part of what a page of ours does, whose tests run it.
PIECES: Final = {
    ("docs/capture-formats.md", "js"),  # three.js plays a clip
    ("docs/characters.md", "js"),  # three.js and Babylon.js set weights
    ("clients/javascript/README.md", "html"),  # its example page is clients/javascript/examples/character.html
}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    write_films(folder)
    return folder


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    """Those of HTTP and gRPC of `mfn serve` with the published models."""
    http, grpc = free_port(), free_port()
    with server(ROOT / "models", http, MFN_GRPC_PORT=str(grpc), MFN_WORKERS="1", MFN_LOG_LEVEL="critical"):
        wait_until_ready(http)
        yield http, grpc


@pytest.fixture(scope="module", autouse=True)
def models_loaded_once() -> Iterator[None]:
    """Every command of `mfn` would load the same ones."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Models, "load", cache(Models.load))
        yield


@pytest.fixture
def checkout(films: Path, ports: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    folder = tmp_path / "mfn"
    folder.mkdir()
    write_checkout(folder, films)
    monkeypatch.chdir(folder)
    return Checkout(folder, *(f"127.0.0.1:{port}" for port in ports))


def shell_parameters() -> list[object]:
    """The blocks of all pages, each once."""
    found = {block: name_of(page) for page in DOCUMENTS for block in shell_blocks(page)}
    return [pytest.param(block, id=f"{page}: {block.commands.splitlines()[0]}"[:80]) for block, page in found.items()]


@pytest.mark.parametrize("block", shell_parameters())
def test_a_shell_block_is_followed_and_prints_what_is_shown(block: ShellBlock, checkout: Checkout) -> None:
    """Numbers depend on the film and the machine; everything else is as it is shown."""
    printed = "".join(follow(command, checkout) for command in commands_of(block.commands))
    lines = {form(line) for line in printed.splitlines()}
    assert [line for line in block.shown.splitlines() if form(line) not in lines] == [], printed


def form(line: str) -> str:
    """A line without its numbers and the names of coefficients, of which the strongest are shown."""
    return " ".join(NUMBER.sub("0", COEFFICIENT.sub("name", line)).split())


@pytest.mark.parametrize("page", ["docs/kserve.md", "docs/python.md"])
def test_python_runs(page: str, checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    for code in blocks(ROOT / page, "python"):
        text = code.replace("localhost:8000", checkout.http).replace("localhost:50051", checkout.grpc)
        assert text != code
        exec(compile(text, page, "exec"), {"__name__": "example"})
        assert capsys.readouterr().out


def languages_of(page: Path) -> set[str]:
    return set(re.findall(r"^ *```(\w+)$", page.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize(("page", "language"), sorted(CODE), ids=str)
def test_code_is_run_by_the_test_that_is_named(page: str, language: str) -> None:
    assert blocks(ROOT / page, language)
    assert Path(page).name in (ROOT / CODE[page, language]).read_text(encoding="utf-8")


def test_no_code_is_left_out() -> None:
    found = {(name_of(page), language) for page in DOCUMENTS for language in languages_of(page) - TESTED_HERE}
    assert found - PIECES == set(CODE)


def test_no_command_hides_in_a_block_without_a_language() -> None:
    """It would not be run."""
    names = "|".join(re.escape(name) for name in PROGRAMS if name)
    command = re.compile(rf"^(?:[A-Z_]+=\S+ )*(?:{names}|python|pytest|pip|mfn) ")
    for page in DOCUMENTS:
        text = re.sub(r"^( *)```.*?^\1```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        indented = [line.strip() for line in text.splitlines() if line.startswith("    ")]
        assert not [line for line in indented if command.match(line)], name_of(page)
