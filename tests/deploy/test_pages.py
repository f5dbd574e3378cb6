"""What the pages in deploy/ name exists: settings, metrics, panels, alerts, files, headings."""

import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.server.telemetry.metrics import Limits, Metrics
from service.settings import PREFIX, Settings
from tests.deploy.manifests import DEPLOY, ROOT, read_yaml

PAGES = sorted(path for path in DEPLOY.rglob("*.md") if "planning" not in path.parts)
SOURCES = sorted(
    path for path in DEPLOY.rglob("*")
    if path.suffix in (".md", ".yaml", ".env", ".json", ".tpl", ".txt") and "planning" not in path.parts
)  # fmt: skip
OPERATIONS = (DEPLOY / "OPERATIONS.md").read_text()
SETTINGS = {PREFIX + setting.name.upper() for setting in fields(Settings)}
OTHERS = {"MFN_ADDRESS"}  # of compose.yaml: where the published ports listen


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_setting_that_is_named_is_the_servers(path: Path) -> None:
    assert set(re.findall(r"\bMFN_[A-Z_]+[A-Z]", path.read_text())) <= SETTINGS | OTHERS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DEPLOY)))
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert target.is_relative_to(ROOT)
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_panels_and_metrics_of_the_operations_page_exist() -> None:
    dashboard = json.loads((DEPLOY / "monitoring/dashboard.json").read_text())
    titles = {panel["title"] for panel in dashboard["panels"]}
    panels = set(re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", OPERATIONS))
    assert panels
    assert panels <= titles
    metrics = Metrics("1", "a", "int8", "cpu", Limits(1, 32, 64), lambda: 0)
    metrics.certificate(datetime(2030, 1, 1, tzinfo=UTC))  # with TLS it has every series that there is
    named = set(re.findall(r"`(mfn_[a-z_]+)`", OPERATIONS))
    assert named
    assert named <= {family.name for family in metrics.registry.collect()}


def test_alerts_of_the_operations_page_exist() -> None:
    groups = read_yaml((DEPLOY / "monitoring/rules.yaml").read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    named = set(re.findall(r"\b(Mfn\w+)", OPERATIONS))
    assert named
    assert named <= alerts
