"""The Grafana dashboard is laid out soundly, and asks only for what the server and the rules have."""

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.dashboard import GIVEN, filled, queries
from service.server.telemetry.metrics import DROP_REASONS, STAGES, Limits, Metrics
from tests.deploy.manifests import DEPLOY, PATIENCE, read_yaml, tool

COLUMNS = 24  # of Grafana's grid
REPEATED_ROWS = 2  # of the panels that are repeated, seven stages at four in a row
# Histograms and counters go by other names than their families.
SUFFIXES = ("_bucket", "_count", "_sum", "_total", "")
PROCESS = {
    "up",
    "process_start_time_seconds",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
}
GRAFANAS_OWN = {"row"}
MACHINE = re.compile(r"localhost|127\.0\.0\.1|\d+\.\d+\.\d+\.\d+|/home|/work")

Panel = dict[str, Any]
TEXT = (DEPLOY / "monitoring/dashboard.json").read_text()
DASHBOARD: dict[str, Any] = json.loads(TEXT)
PANELS: list[Panel] = DASHBOARD["panels"]
CHARTS = [panel for panel in PANELS if panel["type"] not in GRAFANAS_OWN]


def boxes() -> Iterator[tuple[str, range, range]]:
    """Title, columns and rows of each panel."""
    for panel in PANELS:
        place = panel["gridPos"]
        high = place["h"] * (REPEATED_ROWS if "repeat" in panel else 1)
        wide = COLUMNS if "repeat" in panel else place["w"]
        yield panel["title"], range(place["x"], place["x"] + wide), range(place["y"], place["y"] + high)


def test_panels_lie_side_by_side() -> None:
    for (one, columns, rows), (other, other_columns, other_rows) in itertools.combinations(boxes(), 2):
        overlap = set(columns) & set(other_columns) and set(rows) & set(other_rows)
        assert not overlap, f"{one} lies over {other}"
    assert all(columns.stop <= COLUMNS for _, columns, _ in boxes())


def test_no_row_is_torn() -> None:
    """From one row's heading to the next there is no gap: every line of the grid is full."""
    last = max(rows.stop for _, _, rows in boxes())
    for line in range(last):
        width = sum(len(columns) for _, columns, rows in boxes() if line in rows)
        assert width == COLUMNS, f"line {line} is {width} wide"


def test_panels_have_numbers_of_their_own() -> None:
    numbers = [panel["id"] for panel in PANELS]
    assert len(set(numbers)) == len(numbers)
    assert all(number > 0 for number in numbers)


@pytest.mark.parametrize("panel", CHARTS, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows(panel: Panel) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    if panel["type"] == "heatmap":
        assert panel["options"]["yAxis"]["unit"]
    targets = panel["targets"]
    assert len({target["refId"] for target in targets}) == len(targets) > 0
    if panel["type"] not in ("stat", "table"):
        assert all(target["legendFormat"] for target in targets)


def test_the_data_source_is_chosen_in_one_place() -> None:
    sources = re.findall(r'"uid": "([^"]*)"', TEXT)
    assert set(sources) == {"${datasource}", "mfn", "-- Grafana --"}  # the second is the dashboard's own
    assert DASHBOARD["templating"]["list"][0]["type"] == "datasource"


def test_nothing_is_of_one_machine() -> None:
    assert not MACHINE.search(TEXT)
    assert "id" not in DASHBOARD  # Grafana gives one


def test_it_is_of_a_schema_that_grafana_reads() -> None:
    assert DASHBOARD["schemaVersion"] >= 39
    assert {"title", "uid", "tags", "time", "templating", "annotations", "panels"} <= DASHBOARD.keys()


def test_every_rate_is_over_the_interval_that_grafana_chooses() -> None:
    for panel in CHARTS:
        for target in panel["targets"]:
            for window in re.findall(r"\[([^\]]+)\]", target["expr"]):
                assert window == "$__rate_interval", panel["title"]


def test_objectives_are_those_of_the_rules() -> None:
    for slo in ("availability", "latency"):
        asked = [query.expr for query in queries(DASHBOARD) if f"scalar(mfn:objective:{slo})" in query.expr]
        assert len(asked) >= 2  # the budget left, and the burn rates
    assert not re.search(r"\b0?\.99", TEXT.replace("histogram_quantile(0.99,", ""))


def test_the_certificates_colours_change_where_the_alerts_fire() -> None:
    rules = (DEPLOY / "monitoring/rules.yaml").read_text()
    days = {float(number) for number in re.findall(r"mfn_certificate_expiry.* < (\d+) \* 86400$", rules, re.MULTILINE)}
    (panel,) = [panel for panel in CHARTS if panel["title"] == "Certificate"]
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert len(days) == 2
    assert {step["value"] for step in steps} == days | {None}


def test_every_series_exists() -> None:
    metrics = Metrics("1", "a", "int8", "cpu", Limits(1, 32, 64), lambda: 0)
    metrics.certificate(datetime(2030, 1, 1, tzinfo=UTC))  # with TLS it has every series that there is
    known = {family.name + suffix for family in metrics.registry.collect() for suffix in SUFFIXES} | PROCESS
    rules = read_yaml((DEPLOY / "monitoring/rules.yaml").read_text())
    known |= {rule["record"] for group in rules["groups"] for rule in group["rules"] if "record" in rule}
    for query in queries(DASHBOARD):
        named = set(re.findall(r"\b(?:mfn[_:]|process_|up\b)[\w:]*", re.sub(r'"[^"]*"', '""', query.expr)))
        assert named, query.panel
        assert named <= known, query.panel


def test_labels_have_values_that_occur() -> None:
    stages = set(re.findall(r'stage!?="(\w+)"', TEXT.replace('\\"', '"')))
    assert stages <= set(STAGES)
    reasons = set(re.findall(r'reason="(\w+)"', TEXT.replace('\\"', '"')))
    assert reasons <= set(DROP_REASONS)
    transports = set(re.findall(r'transport="(\w+)"', TEXT.replace('\\"', '"')))
    assert transports == {"http", "grpc", "websocket"}


def test_every_stage_has_a_heat_map() -> None:
    (variable,) = [one for one in DASHBOARD["templating"]["list"] if one["name"] == "stage"]
    assert tuple(variable["query"].split(", ")) == STAGES
    assert [option["value"] for option in variable["options"]] == ["$__all", *STAGES]
    asked = {query.panel for query in queries(DASHBOARD) if query.counted}
    assert {f"Stage: {stage}" for stage in STAGES} <= asked


def test_queries_parse(tmp_path: Path) -> None:
    """As recording rules, which promtool reads in every version."""
    rules = [{"record": f"query:{number}", "expr": query.expr} for number, query in enumerate(queries(DASHBOARD))]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run([tool("promtool"), "check", "rules", file], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_variables_are_filled_in() -> None:
    assert filled('rate(a{b=~"$instance"}[$__rate_interval])', GIVEN) == 'rate(a{b=~".*"}[10s])'
    with pytest.raises(KeyError, match="cluster"):
        filled('a{b="$cluster"}', GIVEN)
