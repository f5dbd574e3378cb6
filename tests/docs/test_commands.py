"""What the pages say around their commands, which test_shell_blocks.py follows: versions, sizes, keys, targets."""

import argparse
import json
import re
from pathlib import Path

import pytest

from service import __version__
from service.server.auth import MIN_KEY_LENGTH
from tests.docs.pages import PAGES, README, ROOT, blocks, name_of, shell_lines

QUICKSTARTS = sorted((ROOT / "docs/quickstart").glob("*.md"))
SCREEN = 60  # lines of text


def test_every_target_of_make_is_there() -> None:
    """That is named in a sentence; those in blocks are a matter of test_shell_blocks.py."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = {name for page in (README, *PAGES) for name in re.findall(r"`make ([\w./-]+)`", page.read_text("utf-8"))}
    wanted -= {".venv/.serve"}
    assert {"run", "docs"} <= wanted
    assert not [name for name in wanted if not re.search(rf"^{re.escape(name)}:", makefile, re.MULTILINE)]


def test_images_have_todays_version() -> None:
    text = (ROOT / "docs/quickstart/platform.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bmfn:(\d+\.\d+\.\d+)", text)) == {__version__}


def test_what_phones_copy_is_there() -> None:
    phone = ROOT / "docs/quickstart/phone.md"
    copied = [word for line in shell_lines(phone, "cp") for word in line if word.startswith("models/")]
    assert len(copied) == 4
    assert not [path for path in copied if not (ROOT / path).exists()]
    sizes = re.findall(r"`(mfn\.\w+\.tflite)`, ([\d.]+) MB", phone.read_text(encoding="utf-8"))
    assert len(sizes) == 2
    for name, megabytes in sizes:
        assert float(megabytes) == pytest.approx((ROOT / "models" / name).stat().st_size / 1e6, abs=0.05)


@pytest.mark.parametrize("page", QUICKSTARTS, ids=name_of)
def test_a_quickstart_fits_a_screen(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= SCREEN


def test_keys_in_the_pages_are_long_enough() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-H", dest="headers", action="append", default=[])
    keys = [
        header.removeprefix("X-API-Key: ")
        for page in PAGES
        for line in shell_lines(page, "curl")
        for header in parser.parse_known_args(line)[0].headers
        if header.startswith("X-API-Key: ")
    ]
    assert keys
    for key in keys:
        assert len(key) >= MIN_KEY_LENGTH
    for page in ("README.md", "docs/settings.md", "docs/rest.md"):
        assert f"at least {MIN_KEY_LENGTH} characters" in " ".join((ROOT / page).read_text(encoding="utf-8").split())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_and_json_are_well_formed(page: Path) -> None:
    for code in blocks(page, "python"):
        compile(code, name_of(page), "exec")
    for text in blocks(page, "json"):
        json.loads(text)
