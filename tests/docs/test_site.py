"""The documentation builds as a site without a warning, and fetches nothing from elsewhere."""

import importlib.util
import logging
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.docs.pages import PAGES, ROOT

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="the extra docs is not installed")

FETCHES = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}


class Fetched(HTMLParser):
    """addresses: what a page has a browser fetch. Links to click on are none of them."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        address = given.get(FETCHES.get(tag, "")) or (given.get("href") if tag == "link" else None)
        if address:
            self.addresses.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return folder


def test_every_page_is_built(site: Path) -> None:
    built = {str(path.parent.relative_to(site)) for path in site.rglob("index.html")}
    assert {str(page.relative_to(ROOT / "docs").with_suffix("")) for page in PAGES} - {"index"} <= built
    assert (site / "websocket.schema.json").is_file()
    assert (site / "repository/deploy/monitoring/RUNBOOK/index.html").is_file()


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetched = Fetched()
        fetched.feed(page.read_text(encoding="utf-8"))
        assert fetched.addresses
        assert not [address for address in fetched.addresses if "//" in address], page
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"url\([\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def led(markdown: str) -> str:
    """A page's Markdown as the hook turns it, docs/quickstart/web.md for its place."""
    from tools.repository_pages import on_page_markdown  # needs MkDocs

    page: Any = SimpleNamespace(file=SimpleNamespace(src_uri="quickstart/web.md"))
    return on_page_markdown(markdown, page, config=None, files=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "on_the_site"),
    [
        ("[a](../rest.md#keys)", "[a](../rest.md#keys)"),
        ("[a](../../models/MODEL_CARD.md#what)", "[a](../repository/models/MODEL_CARD.md#what)"),
        ("[a](../../deploy/)", "[a](../repository/deploy/README.md)"),
        ("[a.py](../../service/errors.py)", "a.py"),
        ("![a](../faces.webp)", "![a](../faces.webp)"),
        ("[a](#here) [b](https://example.org/x)", "[a](#here) [b](https://example.org/x)"),
        ("`[a](nothing.md)`", "`[a](nothing.md)`"),
        ("```\n[a](nothing.md)\n```", "```\n[a](nothing.md)\n```"),
    ],
)
def test_links_lead_to_pages(written: str, on_the_site: str) -> None:
    assert led(written) == on_the_site


def test_a_link_to_nothing_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        led("[a](../../deploy/nothing.md)")
    assert "docs/quickstart/web.md links to ../../deploy/nothing.md" in caplog.text
