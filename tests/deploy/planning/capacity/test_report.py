"""The tables in deploy/CAPACITY.md are those of the figures beside it."""

import re

import pytest

from deploy.planning.capacity import plan, sizing
from deploy.planning.capacity.report import DEPLOY, DOCUMENT, OTHER, PLANNED, read, tables, with_tables
from deploy.planning.capacity.sizing import Assumptions
from tests.deploy.manifests import read_yaml


@pytest.fixture(scope="module")
def text() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def test_the_document_is_what_the_program_makes_of_the_figures(text: str) -> None:
    assert with_tables(text, Assumptions()) == text, "run `python -m deploy.planning.capacity --part sizing --results`"


def test_every_table_has_its_place_and_rows_as_wide_as_its_head(text: str) -> None:
    for name, lines in tables(Assumptions()).items():
        assert text.count(f"<!-- {name}:begin -->") == text.count(f"<!-- {name}:end -->") == 1
        widths = {line.count("|") for line in lines.splitlines() if line.startswith("|")}
        assert len(widths) == 1


def test_there_is_a_place_for_the_autoscaler(text: str) -> None:
    section = text.split("\n## A day with the autoscaler\n")[1].split("\n## ")[0]
    assert re.search(r"<!-- autoscaling:begin -->.*<!-- autoscaling:end -->", section, re.DOTALL)


@pytest.mark.parametrize("family", [PLANNED, OTHER])
def test_a_pod_is_dearer_than_a_core_by_what_was_measured(family: str) -> None:
    made_up = {"workers": [{"server": "1", "cpu_ms": 5.0}, {"server": "2", "cpu_ms": 5.5}]}
    assert plan.overhead(made_up) == pytest.approx(1.1)
    assert 1 <= plan.overhead(read(family)) < 1.5


def test_what_the_sizes_take_from_the_manifests_is_there() -> None:
    production = (DEPLOY / "overlays/production/kustomization.yaml").read_text()
    assert f"minReplicas: {sizing.MIN_PODS}\n" in production
    assert f"maxReplicas: {sizing.MAX_PODS}\n" in production
    deployment = read_yaml((DEPLOY / "base/deployment.yaml").read_text())["spec"]
    (container,) = deployment["template"]["spec"]["containers"]
    assert float(container["resources"]["limits"]["cpu"]) == Assumptions().pod_vcpus
    (cpu, _) = read_yaml((DEPLOY / "base/autoscaler.yaml").read_text())["spec"]["metrics"]
    assert cpu["resource"]["target"]["averageUtilization"] == round(100 * Assumptions().utilisation)
    (scraped,) = read_yaml((DEPLOY / "monitoring/pod-monitor.yaml").read_text())["spec"]["podMetricsEndpoints"]
    assert scraped["interval"] == f"{sizing.SCRAPE_SECONDS:g}s"
