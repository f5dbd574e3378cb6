"""The rules and alerts hold their arithmetic, name what exists, and lead to a paragraph of the runbook each."""

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.inference.manifest import MANIFEST, read_manifest
from service.server.problems import CODES
from service.server.rest import kserve_v1, open_inference
from service.server.telemetry.metrics import BUCKETS, STAGES, Limits, Metrics
from service.server.telemetry.middleware import PATHS
from service.settings import Settings
from tests.deploy.manifests import (
    DEPLOY,
    PATIENCE,
    environment,
    of_kind,
    one,
    pod,
    read_yaml,
    read_yaml_documents,
    render,
    rendered,
    tool,
)

MONITORING = DEPLOY / "monitoring"
RUNBOOK = (MONITORING / "RUNBOOK.md").read_text()
GROUPS: list[dict[str, Any]] = read_yaml((MONITORING / "rules.yaml").read_text())["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
RECORDS = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}
ALERTS = [rule for rule in RULES if "alert" in rule]
BURNS = [alert for alert in ALERTS if "slo" in alert["labels"]]
MONTH_HOURS = 30 * 24
# The Site Reliability Workbook, chapter 5: long window, short window, share of the budget spent in the long one.
WINDOWS = {"1h": ("5m", 0.02), "6h": ("30m", 0.05), "1d": ("2h", 0.10), "3d": ("6h", 0.10)}
HOURS = {"1h": 1, "6h": 6, "1d": 24, "3d": 72}
PAGES = ("1h", "6h")
SECTIONS = ("**Means.**", "**Look first.**", "**Do.**")


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run([tool("promtool"), *arguments], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_rules() -> None:
    promtool("check", "rules", MONITORING / "rules.yaml")


def test_alerts_fire_where_they_should_and_nowhere_else() -> None:
    promtool("test", "rules", MONITORING / "rules_test.yaml")


def test_every_alert_has_a_test_of_both() -> None:
    cases = read_yaml((MONITORING / "rules_test.yaml").read_text())["tests"]
    fires, silent = set[str](), set[str]()
    for case in cases:
        for check in case.get("alert_rule_test", []):
            (fires if check["exp_alerts"] else silent).add(check["alertname"])
        for check in case.get("promql_expr_test", []):
            if name := re.search(r'ALERTS\{alertname="(\w+)"', check["expr"]):
                (fires if check["exp_samples"] else silent).add(name[1])
    names = {alert["alert"] for alert in ALERTS}
    assert fires == names
    assert silent == names


def test_the_operator_gets_the_same_rules() -> None:
    manifest = read_yaml((MONITORING / "prometheus-rule.yaml").read_text())
    assert (manifest["apiVersion"], manifest["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert manifest["spec"] == {"groups": GROUPS}, "rules.yaml was changed: run deploy/monitoring/render"


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: f"{alert['alert']}-{alert['labels'].get('window', '')}")
def test_an_alert_says_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}
    file, anchor = alert["annotations"]["runbook_url"].split("#")
    assert DEPLOY.parent / file == MONITORING / "RUNBOOK.md"
    assert anchor == alert["alert"].lower()  # as GitHub and others make anchors of headings


def test_the_runbook_has_a_paragraph_for_each_alert_and_for_no_other() -> None:
    paragraphs = dict(re.findall(r"^## (Mfn\w+)\n(.+?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
    assert paragraphs.keys() == {alert["alert"] for alert in ALERTS}
    for name, text in paragraphs.items():
        assert all(section in text for section in SECTIONS), name


def test_burn_rates_follow_from_the_share_of_the_budget() -> None:
    """Rate = share of the budget x 30 days / window."""
    seen = set()
    for alert in BURNS:
        slo, long = alert["labels"]["slo"], alert["labels"]["window"]
        short, share = WINDOWS[long]
        bad = {"availability": "failed", "latency": "slow"}[slo]
        limit = rf"([\d.]+) \* \(1 - scalar\(mfn:objective:{slo}\)\)"
        both = rf"mfn:requests_{bad}:ratio_rate{long} > {limit}\s+and mfn:requests_{bad}:ratio_rate{short} > {limit}"
        factors = re.fullmatch(both, alert["expr"].strip())
        assert factors is not None, alert["expr"]
        assert float(factors[1]) == float(factors[2]) == pytest.approx(share * MONTH_HOURS / HOURS[long])
        assert alert["labels"]["severity"] == ("critical" if long in PAGES else "warning")
        assert "for" not in alert  # the short window does that
        seen.add((slo, long))
    assert seen == {(slo, long) for slo in ("availability", "latency") for long in WINDOWS}


def test_objectives_are_numbers_in_one_place() -> None:
    for slo in ("availability", "latency"):
        number = re.fullmatch(r"vector\((0\.\d+)\)", RECORDS[f"mfn:objective:{slo}"])
        assert number is not None
        used = [rule["expr"] for rule in RULES if re.search(rf"\b{re.escape(number[1])}\b", rule["expr"])]
        assert used == [number[0]]


def test_what_is_fast_is_said_once_and_is_a_bound_of_the_histogram() -> None:
    bounds = re.findall(r'le="([\d.]+)"', " ".join(RECORDS.values()))
    assert len(bounds) == 1
    everywhere = re.findall(r'le="([\d.]+)"', " ".join(rule["expr"] for rule in RULES))
    assert {float(bound) for bound in everywhere} <= set(BUCKETS)


def test_failures_are_the_servers_own() -> None:
    """Of the problems that a request may end with, those that more servers or better ones would spare its sender."""
    codes = re.search(r'code=~"([^"]+)"', RECORDS["mfn:requests_failed:total"])
    assert codes is not None
    failed = set(codes[1].split("|"))
    servers = {str(codes.http) for codes in CODES.values() if codes.http >= 500} | {"429"}
    assert {code for code in failed if code.isdigit()} == servers
    rpc = {codes.grpc for codes in CODES.values() if str(codes.http) in servers}
    assert {code for code in failed if not code.isdigit()} == rpc | {"UNKNOWN"}
    senders = {codes.grpc for codes in CODES.values() if str(codes.http) not in servers}
    assert not failed & senders


def test_names_and_labels_are_the_servers() -> None:
    metrics = Metrics("1", "a", "int8", "cpu", Limits(1, 32, 64), lambda: 0)
    metrics.certificate(datetime(2030, 1, 1, tzinfo=UTC))  # with TLS it has every series that there is
    known = {family.name + end for family in metrics.registry.collect() for end in ("", "_bucket", "_count", "_total")}
    text = " ".join(rule["expr"] for rule in RULES)
    assert set(re.findall(r"\bmfn_\w+", text)) <= known
    assert set(re.findall(r"\bmfn:[\w:]+", text)) <= RECORDS.keys()
    assert set(re.findall(r'stage="(\w+)"', text)) <= set(STAGES)
    methods = {method for group in re.findall(r'method=~"([^"]+)"', text) for method in group.split("|")}
    assert methods == {"POST /retarget", "POST /v./models/mfn.*", "Retarget", "Frame"}
    assert "/retarget" in PATHS
    manifest = read_manifest(DEPLOY.parent / "models" / MANIFEST)
    looks = [
        path
        for path in kserve_v1.paths_of(manifest) | open_inference.paths_of(manifest)
        if "infer" in path or ":predict" in path
    ]
    assert looks
    assert all(re.fullmatch("/v./models/mfn.*", path) for path in looks)


def test_the_pods_are_found() -> None:
    objects = tuple(read_yaml_documents(render(MONITORING)))
    monitor = one(objects, "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    (deployment,) = of_kind(rendered("base"), "Deployment")
    template = deployment["spec"]["template"]
    assert monitor["metadata"]["namespace"] == deployment["metadata"]["namespace"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert template["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "mfn"  # the job in rules and dashboard
    assert endpoint["port"] in {port["name"] for port in template["spec"]["containers"][0]["ports"]}
    assert endpoint["path"] in PATHS
    (config_map,) = of_kind(objects, "ConfigMap")
    assert config_map["data"] == {"mfn.json": (MONITORING / "dashboard.json").read_text()}
    assert one(objects, "PrometheusRule")["spec"]["groups"] == GROUPS


def test_tls_is_trusted_by_the_servers_own_certificate(tmp_path: Path) -> None:
    resources, components = (os.path.relpath(MONITORING / part, tmp_path) for part in (".", "tls"))
    overlay = {"resources": [resources], "components": [components]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    (endpoint,) = one(tuple(read_yaml_documents(render(tmp_path))), "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert endpoint["scheme"] == "https"
    secret = endpoint["tlsConfig"]["ca"]["secret"]
    production = pod(rendered("overlays/production"))
    assert secret["name"] in {volume["secret"]["secretName"] for volume in production["volumes"]}
    settings = Settings.from_environment(environment(production, of_kind(rendered("overlays/production"), "ConfigMap")))
    assert settings.tls_certificate_file is not None
    assert settings.tls_certificate_file.name == secret["key"]
    service, namespace, _ = endpoint["tlsConfig"]["serverName"].split(".")
    assert one(rendered("overlays/production"), "Service", service)["metadata"]["namespace"] == namespace
